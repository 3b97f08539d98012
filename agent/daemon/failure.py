"""Report that the kiosk cannot start: the signal `fault`, and the status `failed` at the broker.

Best effort: failures here are logged and do not change the exit code (`commands.md#failure-at-start`).
"""

import logging
import time
from collections.abc import Sequence
from contextlib import ExitStack

from agent import __version__
from agent.config.settings import IndicatorSettings, KioskSettings, MqttSettings
from agent.contract.signals import Signal, steps_of
from agent.daemon.connection_number import CONNECTION_FILE, ConnectionNumber
from agent.daemon.status_socket import is_running
from agent.daemon.wiring import broker_of, indicator_of

__all__ = ["FAULT_S", "tell_failure"]

FAULT_S = sum(step.ms for step in steps_of(Signal.FAULT)) / 1000
"""How long to show `fault` before the process ends and the light goes out: one rhythm of the buzzer."""

_PUBLISH_S = 5.0
"""How long to wait for a broker that does not answer."""

_log = logging.getLogger(__name__)


def tell_failure(
    *,
    reason: str,
    kiosk: KioskSettings | None,
    mqtt: MqttSettings | None,
    indicators: Sequence[tuple[str, IndicatorSettings]],
) -> None:
    """Show `fault` at every (station id, indicator), and publish `failed` with the reason. Raises nothing.

    Does neither if a daemon runs on this kiosk's state directory: the lights and the status belong to that one.
    """
    if kiosk is not None and is_running(kiosk.state_dir):
        _log.warning("the failure is not shown: another daemon runs on this kiosk and has the lights")
        return
    with ExitStack() as opened:
        for station, settings in indicators:
            try:
                indicator = opened.enter_context(indicator_of(station, settings))
            except Exception as exc:  # noqa: BLE001 - best effort: the exit code is decided already
                _log.warning("the fault cannot be shown on the light", extra={"station": station, "why": exc})
            else:
                indicator.show(Signal.FAULT, None, monotonic_ns=time.monotonic_ns())
        shown_at = time.monotonic()
        if kiosk is not None and mqtt is not None:
            _publish(reason, kiosk, mqtt)
        if any(settings.driver == "gpio" for _, settings in indicators):
            time.sleep(max(0.0, shown_at + FAULT_S - time.monotonic()))


def _publish(reason: str, kiosk: KioskSettings, mqtt: MqttSettings) -> None:
    from agent.uplink.oneshot import publish_status_once

    try:
        publish_status_once(
            broker_of(mqtt),
            site=kiosk.site,
            kiosk=kiosk.id,
            version=__version__,
            state="failed",
            reason=reason,
            connection=ConnectionNumber(kiosk.state_dir / CONNECTION_FILE).next(),
            timeout_s=_PUBLISH_S,
        )
    except Exception as exc:  # noqa: BLE001 - best effort: the exit code is decided already
        _log.warning("the failure cannot be published to the broker", extra={"why": exc})
