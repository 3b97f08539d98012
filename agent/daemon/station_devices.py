"""The scanners and push-buttons of all stations, opened and closed together."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from agent.config.settings import StationSettings
from agent.contract.printed_codes import Verb, command_text
from agent.daemon.intake import ButtonSource, Intake
from agent.daemon.wiring import scanner_of
from agent.drivers.scanners.scanner import OnFrame, OnStatus, Scanner
from agent.runtime.event_loop import EventLoop
from agent.scan import Frame

__all__ = ["OpenScanner", "open_devices"]

_log = logging.getLogger(__name__)


class OpenScanner(Struct, frozen=True, kw_only=True):
    """A scanner of a station; `driver` is its name in the configuration."""

    station: str
    driver: str
    scanner: Scanner


@contextmanager
def open_devices(
    stations: Sequence[StationSettings],
    *,
    more: Mapping[str, Sequence[Scanner]],
    device_loop: EventLoop,
    intake: Intake,
    on_change: Callable[[], None],
) -> Iterator[tuple[OpenScanner, ...]]:
    """Have `device_loop` read every scanner and button into `intake`; close them at the end.

    A scanner may be missing. `more` are scanners by station, in addition to those of the configuration. `on_change` is
    called when a scanner comes or goes. Raises DeviceError if a button's pin cannot be used. While this opens and
    closes, no thread may run the loop.
    """
    scanners: list[OpenScanner] = []
    with ExitStack() as opened:
        for station in stations:
            configured = [(one.driver, scanner_of(one)) for one in station.scanners]
            given = [(one.description, one) for one in more.get(station.id, ())]
            for driver, scanner in (*configured, *given):
                opened.enter_context(scanner)
                scanner.start(device_loop, intake.of(station.id, scanner), _report(station.id, scanner, on_change))
                scanners.append(OpenScanner(station=station.id, driver=driver, scanner=scanner))
            if station.buttons:
                from agent.drivers.buttons import Buttons

                press = _press(intake.of(station.id, ButtonSource()), device_loop)
                opened.enter_context(Buttons(dict(station.buttons), press, loop=device_loop))
        yield tuple(scanners)


def _press(take: OnFrame, device_loop: EventLoop) -> Callable[[str], None]:
    """A press of a button is a scan of its command barcode (`settings.md#buttons`)."""

    def press(word: str) -> None:
        take(Frame(data=command_text(Verb(word.upper())).encode(), intact=True, at=device_loop.time()))

    return press


def _report(station: str, scanner: Scanner, on_change: Callable[[], None]) -> OnStatus:
    """Log that a scanner came or went (`faults.md#scanner-unplugged`)."""

    def report(connected: bool, detail: str) -> None:
        fields = {"station": station, "scanner": scanner.name, "where": detail}
        if connected:
            _log.info("scanner connected", extra=fields)
        else:
            _log.warning("scanner not connected", extra=fields)
        on_change()

    return report
