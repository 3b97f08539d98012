"""`kiosk-agent check`: the configuration file, and what it describes, tried out (`commands.md#check`)."""

import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TextIO

from agent.config import Config, config_hash, load
from agent.config.settings import EvdevSettings, MqttSettings, NoIndicatorSettings, StationSettings
from agent.daemon.status_socket import is_running
from agent.daemon.wiring import broker_of, delivery_of, indicator_of, keyboard_of, scanner_of
from agent.drivers.scanners.device_nodes import keyboards
from agent.errors import DeviceError, KioskError
from agent.runtime.log import escape
from agent.uplink.oneshot import BROKER_CONFIRMS

__all__ = ["check"]

Finding = tuple[bool, str, str]
"""Whether it works, what was tried, and the result."""


def check(config_path: Path, out: TextIO, *, hardware: bool = False, broker: bool = False) -> int:
    """Write one line for each thing tried; return 0 if all of them work, else 1. Raises ConfigError."""
    config = load(config_path)
    kiosk = f"kiosk {config.kiosk.site}/{config.kiosk.id}, stations {', '.join(one.id for one in config.stations)}"
    _write(out, (True, "configuration", f"{kiosk}, hash {config_hash(config)}"))
    if not config.mqtt.tls:
        out.write("note    mqtt.tls = false: anybody on the network can read the password and all events\n")
    if config.uplink.confirm == "broker" and not broker:
        out.write(f"note    {BROKER_CONFIRMS}\n")
    sound = True
    for finding in _secrets(config.mqtt):
        _write(out, finding)
        sound = False
    if hardware:
        sound = _check_hardware(config, out) and sound
        for line in _ungrabbed(config):
            out.write(f"note    {escape(line)}\n")
        if not sound and is_running(config.kiosk.state_dir):
            out.write("note    the daemon is running and keeps its devices to itself: stop it to check them\n")
    if broker:
        finding = _broker(config)
        _write(out, finding)
        sound = sound and finding[0]
    return 0 if sound else 1


def _write(out: TextIO, finding: Finding) -> None:
    works, what, outcome = finding
    out.write(f"{'ok' if works else 'failed':<6}  {escape(what)}: {escape(outcome)}\n")
    out.flush()


# -- secrets -----------------------------------------------------------------------------------------------------


def _secrets(mqtt: MqttSettings) -> Iterator[Finding]:
    """Yield a finding for each secret that every user of the machine can read (`settings.md#renewed-secrets`)."""
    for name, path in (("password", mqtt.secret_file), ("key_file", mqtt.key_file)):
        if path is None:
            continue
        try:
            mode = path.stat().st_mode
        except OSError as exc:
            yield False, f"mqtt {name}", f"{path}: {exc.strerror}"
            continue
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            does = "read" if mode & stat.S_IROTH else "write"
            yield False, f"mqtt {name}", f"every user of this machine can {does} {path}; run: chmod o-rwx {path}"


# -- hardware ----------------------------------------------------------------------------------------------------


def _check_hardware(config: Config, out: TextIO) -> bool:
    """Open every device and close it again, one after the other."""
    nodes: dict[str, str] = {}
    sound = True
    for station in config.stations:
        for finding in _devices(station, nodes):
            _write(out, finding)
            sound = sound and finding[0]
    return sound


def _devices(station: StationSettings, nodes: dict[str, str]) -> Iterator[Finding]:
    """Try the devices of a station. `nodes` maps each device node found so far to the name of its scanner."""
    for scanner in station.scanners:
        what = f"station {station.id}, scanner {scanner.name}"
        works, what, outcome = _try(what, scanner_of(scanner).probe)
        if works and (other := nodes.setdefault(outcome, what)) != what:
            works, outcome = False, f"{outcome} is the same device as that of {other}"
        yield works, what, outcome
    if not isinstance(station.indicator, NoIndicatorSettings):
        yield _try(f"station {station.id}, indicator {station.indicator.driver}", partial(_open_indicator, station))
    for word, pin in station.buttons.items():
        yield _try(f"station {station.id}, button {word}", partial(_open_button, pin))


def _ungrabbed(config: Config) -> Iterator[str]:
    """Warn of keyboards that the kiosk would not grab: one of them may be a scanner that types into the console."""
    present = keyboards()
    ours: set[str] = set()
    for station in config.stations:
        for scanner in station.scanners:
            if isinstance(scanner, EvdevSettings):
                with suppress(DeviceError):  # it was reported as missing
                    ours.update(keyboard_of(scanner).nodes(present))
    for keyboard in present:
        if keyboard.node not in ours:
            yield (
                f"{keyboard.name} ({keyboard.node}) is a keyboard of no station. If it is a scanner, what it reads is "
                "typed into the console of this machine: add it as a [[station.scanner]], or unplug it"
            )


def _try(what: str, open_it: Callable[[], str]) -> Finding:
    try:
        return True, what, open_it()
    except DeviceError as exc:
        return False, what, str(exc)


def _open_indicator(station: StationSettings) -> str:
    indicator_of(station.id, station.indicator).close()
    return "opened"


def _open_button(pin: int) -> str:
    from agent.drivers.buttons import BOUNCE_S
    from agent.drivers.indicators.gpio import open_button

    open_button(pin, lambda: None, bounce_s=BOUNCE_S).close()
    return f"pin {pin} opened"


# -- broker ------------------------------------------------------------------------------------------------------


def _broker(config: Config) -> Finding:
    from agent.uplink.oneshot import try_connect

    try:
        answer = try_connect(
            broker_of(config.mqtt), delivery_of(config.uplink), site=config.kiosk.site, kiosk=config.kiosk.id
        )
    except (KioskError, OSError) as exc:
        return False, "broker", str(exc)
    return True, "broker", answer
