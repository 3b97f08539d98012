"""Read the configuration file, check it as a whole, and report all problems at once (`settings.md#configuration-file`).

Each table is validated by its model in `agent.config.settings`. The rules that span several keys work on the raw
tables, so that one mistake does not hide another.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, field
from pydantic import ValidationError

from agent.config.problems import MISSING, KeyPath, Problems, reason
from agent.config.rules import (
    check_brokers,
    check_delivery,
    check_devices,
    check_files,
    check_gs,
    check_names,
    check_pins,
    password_file,
    read_password,
)
from agent.config.settings import (
    ButtonSettings,
    Config,
    ConfigTable,
    ConsoleSettings,
    EvdevSettings,
    GpioSettings,
    IndicatorSettings,
    JsonlSettings,
    KioskSettings,
    MqttSettings,
    NoIndicatorSettings,
    ScannerSettings,
    SerialSettings,
    StationIdentity,
    StationSettings,
    UplinkSettings,
    WorkflowSettings,
    expected_in,
)
from agent.errors import ConfigError
from agent.runtime.log import escape, quote

__all__ = ["Config", "Salvage", "config_hash", "load", "salvage"]

_TABLES: dict[str, type[ConfigTable]] = {
    "kiosk": KioskSettings,
    "mqtt": MqttSettings,
    "uplink": UplinkSettings,
    "workflow": WorkflowSettings,
}
_SCANNERS: dict[str, type[ScannerSettings]] = {"serial": SerialSettings, "evdev": EvdevSettings}
_INDICATORS: dict[str, type[IndicatorSettings]] = {
    "gpio": GpioSettings,
    "console": ConsoleSettings,
    "jsonl": JsonlSettings,
    "none": NoIndicatorSettings,
}
_STATION_KEYS = ("id", "scanner", "indicator", "buttons")
_TOP = (*_TABLES, "station")
_HOMES: dict[str, Iterable[str]] = {
    **{f"[{name}]": model.model_fields for name, model in _TABLES.items()},
    "[[station]]": _STATION_KEYS,
    "[[station.scanner]]": {key for model in _SCANNERS.values() for key in model.model_fields},
    "[station.indicator]": {key for model in _INDICATORS.values() for key in model.model_fields},
    "[station.buttons]": ButtonSettings.model_fields,
}
"""The keys of each table, to tell a misplaced key from an unknown one."""

_MAX_FILE_BYTES = 1 << 20

_S = TypeVar("_S", bound=ConfigTable)


class Salvage(Struct, frozen=True, kw_only=True):
    """The sound parts of a refused configuration, to report the refusal with (`commands.md#failure-at-start`).

    `indicators` are (station id, settings).
    """

    kiosk: KioskSettings | None
    mqtt: MqttSettings | None
    indicators: tuple[tuple[str, IndicatorSettings], ...]


def load(path: Path, *, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration file. Raises ConfigError with everything that is wrong with it.

    Relative paths in it start at the file's folder. The broker's password is read from `password_file`, or else from
    systemd's credential `mqtt-password` (in `$CREDENTIALS_DIRECTORY`).
    """
    reading = _read(path, environ)
    if reading.config is None:
        raise ConfigError(reading.problems.lines)
    return reading.config


def salvage(path: Path, *, environ: Mapping[str, str] = os.environ) -> Salvage:
    """Return the sound parts of a configuration that `load` refuses. Raises nothing for mistakes in the file."""
    reading = _read(path, environ)
    return Salvage(kiosk=reading.kiosk, mqtt=reading.mqtt, indicators=tuple(reading.indicators))


def config_hash(config: Config) -> str:
    """Return a short, stable hash (12 hex digits) of all settings, defaults included, secrets excluded."""
    import hashlib
    import json

    # Iterating over a table yields its fields, but not private attributes such as the password.
    plain = {
        "kiosk": dict(config.kiosk),
        "mqtt": dict(config.mqtt),
        "uplink": dict(config.uplink),
        "workflow": dict(config.workflow),
        "stations": [
            {
                "id": station.id,
                "scanners": [dict(scanner) for scanner in station.scanners],
                "indicator": dict(station.indicator),
                "buttons": dict(station.buttons),
            }
            for station in config.stations
        ],
    }
    text = json.dumps(plain, default=os.fspath, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# -- reading -----------------------------------------------------------------------------------------------------


class _Reading(Struct, kw_only=True):
    """One pass over a file: the problems, and the parts that are sound."""

    problems: Problems
    base: Path
    config: Config | None = None
    kiosk: KioskSettings | None = None
    mqtt: MqttSettings | None = None
    indicators: list[tuple[str, IndicatorSettings]] = field(default_factory=list)


def _read(path: Path, environ: Mapping[str, str]) -> _Reading:
    reading = _Reading(problems=Problems(_HOMES), base=path.absolute().parent)
    problems = reading.problems
    raw = _parse(path, problems)
    if raw is None:
        return reading
    for key in raw:
        if key not in _TOP:
            problems.unknown_key((key,), _TOP)

    kiosk = _check(KioskSettings, raw.get("kiosk", {}), ("kiosk",), reading)
    mqtt = _check(MqttSettings, raw.get("mqtt", {}), ("mqtt",), reading)
    raw_mqtt, raw_uplink = _table(raw.get("mqtt")), _table(raw.get("uplink"))
    before = len(problems.lines)
    if isinstance(raw.get("mqtt", {}), dict):
        check_brokers(raw_mqtt, problems)
    check_files(raw_mqtt, reading.base, problems)
    password = read_password(raw_mqtt, reading.base, environ, problems)
    mqtt_sound = len(problems.lines) == before
    uplink = _check_optional(UplinkSettings.model_construct(), raw, ("uplink",), reading)
    check_delivery(raw_mqtt, raw_uplink, problems)
    workflow = _check_optional(WorkflowSettings.model_construct(), raw, ("workflow",), reading)
    stations = _stations(raw.get("station", MISSING), reading)

    reading.kiosk = kiosk
    if mqtt is not None and mqtt_sound:
        reading.mqtt = mqtt = mqtt.with_password(password, password_file(raw_mqtt, reading.base, environ))
    if not problems.lines and kiosk and mqtt and uplink and workflow:
        # Every part has been validated, so the whole needs no validator, which would take time at every start.
        reading.config = Config.model_construct(
            kiosk=kiosk, mqtt=mqtt, uplink=uplink, workflow=workflow, stations=stations
        )
    return reading


def _parse(path: Path, problems: Problems) -> dict[str, Any] | None:
    """Return the file's content. If it is not TOML, report the problem and return None."""
    name = quote(str(path))
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_FILE_BYTES + 1)
    except OSError as exc:
        problems.say((), f"expected a configuration file, found none to read at {name}: {reason(exc)}")
        return None
    if len(data) > _MAX_FILE_BYTES:
        problems.say((), f"expected a configuration file of at most {_MAX_FILE_BYTES} bytes, found more in {name}")
        return None
    try:
        # Some editors begin a file with a byte order mark.
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        problems.say((), f"expected UTF-8 text, found the byte 0x{data[exc.start]:02x} in line {line} of {name}")
    except tomllib.TOMLDecodeError as exc:
        problems.say((), f"expected TOML, found an error in {name}: {escape(str(exc))}")
    except RecursionError:
        problems.say((), f"expected TOML, found tables or lists nested too deep in {name}")
    return None


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _check_optional(defaults: _S, raw: Mapping[str, Any], path: KeyPath, reading: _Reading) -> _S | None:
    """Return the table that `raw` has under the last key of `path`, or `defaults` if it is left out.

    Defaults are not validated: building a validator takes time at every start.
    """
    key = str(path[-1])
    return _check(type(defaults), raw[key], path, reading) if key in raw else defaults


def _check(
    model: type[_S],
    raw: object,
    path: KeyPath,
    reading: _Reading,
    homes: Mapping[str, Iterable[str]] | None = None,
) -> _S | None:
    """Validate `raw` as `model`. If it is not valid, report every problem and return None."""
    problems = reading.problems
    if not isinstance(raw, dict):
        problems.expected(path, "a table", raw)
        return None
    try:
        return model.model_validate(raw, context=reading.base)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False)
    told: list[KeyPath] = []
    for error in errors:
        where = (*path, *error["loc"])
        key = str(error["loc"][0])
        if error["type"] == "extra_forbidden":
            problems.unknown_key(where, model.model_fields, homes)
        elif not any(other[: len(where)] == where for other in told):
            # The error of a whole list, after that of one of its elements, says nothing new.
            found = MISSING if error["type"] == "missing" else error["input"]
            problems.expected(where, expected_in(model.model_fields[key]), found)
        told.append(where)
    return None


# -- stations ----------------------------------------------------------------------------------------------------


def _stations(raw: object, reading: _Reading) -> tuple[StationSettings, ...]:
    """Return the sound stations; report every problem of the others."""
    if not isinstance(raw, list) or not raw:
        reading.problems.expected(("station",), "at least one [[station]] table", raw)
        return ()
    found = tuple(_station(one, ("station", place), reading) for place, one in enumerate(raw))
    check_names(raw, reading.problems)
    check_devices(raw, reading.problems)
    check_gs(raw, reading.problems)
    check_pins(raw, reading.problems)
    return tuple(station for station in found if station is not None)


def _station(raw: object, path: KeyPath, reading: _Reading) -> StationSettings | None:
    if not isinstance(raw, dict):
        reading.problems.expected(path, "a table", raw)
        return None
    for key in raw:
        if key not in _STATION_KEYS:
            reading.problems.unknown_key((*path, key), _STATION_KEYS)
    identity = _check(StationIdentity, {key: raw[key] for key in ("id",) if key in raw}, path, reading)
    scanners = _scanners(raw.get("scanner", MISSING), (*path, "scanner"), reading)
    indicator: IndicatorSettings | None
    if "indicator" in raw:
        indicator = _by_driver(_INDICATORS, raw["indicator"], (*path, "indicator"), reading)
    else:
        indicator = NoIndicatorSettings.model_construct()
    buttons = _check_optional(ButtonSettings.model_construct(), raw, (*path, "buttons"), reading)
    if identity is None or indicator is None:
        return None
    reading.indicators.append((identity.id, indicator))
    if scanners is None or buttons is None:
        return None
    pins = {word: pin for word, pin in buttons if pin is not None}
    return StationSettings.model_construct(id=identity.id, scanners=scanners, indicator=indicator, buttons=pins)


def _scanners(raw: object, path: KeyPath, reading: _Reading) -> tuple[ScannerSettings, ...] | None:
    if not isinstance(raw, list) or not raw:
        reading.problems.expected(path, "at least one [[station.scanner]] table", raw)
        return None
    found = [_by_driver(_SCANNERS, one, (*path, place), reading) for place, one in enumerate(raw)]
    sound = tuple(scanner for scanner in found if scanner is not None)
    return sound if len(sound) == len(found) else None


def _by_driver(models: Mapping[str, type[_S]], raw: object, path: KeyPath, reading: _Reading) -> _S | None:
    """Validate a table whose `driver` says which keys it has. As `_check`."""
    if not isinstance(raw, dict):
        reading.problems.expected(path, "a table", raw)
        return None
    driver = raw.get("driver", MISSING)
    homes = {f'driver = "{name}"': model.model_fields for name, model in models.items()}
    if isinstance(driver, str) and driver in models:
        return _check(models[driver], raw, path, reading, homes)
    names = [quote(name) for name in models]
    reading.problems.expected((*path, "driver"), f"{', '.join(names[:-1])} or {names[-1]}", driver)
    known = {key for model in models.values() for key in model.model_fields}
    for key in raw:
        if key not in known:
            reading.problems.unknown_key((*path, key), known)
    return None
