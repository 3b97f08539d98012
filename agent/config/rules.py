"""The rules that span several keys of the configuration: which go together, which must differ.

They work on the raw tables of the file, where a value may have any type. A value that is wrong by itself is skipped
here, and reported by the validation of its table.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.config.problems import MISSING, KeyPath, Problems, dotted
from agent.config.settings import BUTTON_WORDS, usb_number

__all__ = [
    "Table",
    "check_brokers",
    "check_delivery",
    "check_devices",
    "check_files",
    "check_gs",
    "check_names",
    "check_pins",
    "password_file",
    "read_password",
    "reread_password",
]

Table = Mapping[str, Any]

_FILE_KEYS = ("password_file", "ca_file", "cert_file", "key_file")
_TLS_KEYS = ("ca_file", "cert_file", "key_file")
_CREDENTIAL = "mqtt-password"
_MAX_PASSWORD_BYTES = 65_535  # an MQTT string


# -- the broker --------------------------------------------------------------------------------------------------


def check_brokers(mqtt: Table, problems: Problems) -> None:
    """Require exactly one of `host` and `hosts`."""
    if "host" in mqtt and "hosts" in mqtt:
        problems.say(("mqtt", "hosts"), "expected either host or hosts, found both")
    if "host" not in mqtt and "hosts" not in mqtt:
        problems.expected(("mqtt", "host"), 'the broker\'s host name or address (or hosts = ["host:port", …])', MISSING)


def check_delivery(mqtt: Table, uplink: Table, problems: Problems) -> None:
    """Refuse `confirm = "broker"` with MQTT 3.1.1 (`mqtt.md#broker-confirmation`)."""
    if uplink.get("confirm") == "broker" and mqtt.get("protocol") == 311:
        problems.say(
            ("uplink", "confirm"),
            'expected "consumer" with mqtt.protocol = 311, found "broker": '
            "in MQTT 3.1.1 the broker does not say whether anybody received the event",
        )


def check_files(mqtt: Table, base: Path, problems: Problems) -> None:
    """Require that every file named can be read, and that certificate and key come together and only with TLS."""
    for key in _FILE_KEYS:
        if (name := _text(mqtt.get(key))) is not None:
            try:
                _read_some(base / name)
            except OSError as exc:
                problems.unreadable_file(("mqtt", key), name, exc)
    if "cert_file" in mqtt and "key_file" not in mqtt:
        problems.expected(("mqtt", "key_file"), "the path of the key of mqtt.cert_file", MISSING)
    if "key_file" in mqtt and "cert_file" not in mqtt:
        problems.expected(("mqtt", "cert_file"), "the path of the certificate of mqtt.key_file", MISSING)
    if mqtt.get("tls") is False:
        for key in _TLS_KEYS:
            if key in mqtt:
                problems.say(("mqtt", key), "expected only with tls = true, found with tls = false")


def read_password(mqtt: Table, base: Path, environ: Mapping[str, str], problems: Problems) -> str | None:
    """Return the broker's password without a line end; None if there is neither a file nor a credential.

    A `password_file` that cannot be read is reported by `check_files`.
    """
    path: KeyPath = ("mqtt", "password_file")
    file = password_file(mqtt, base, environ)
    if file is None:
        return None
    whose = "mqtt.password_file" if "password_file" in mqtt else f"the credential {_CREDENTIAL}"
    if "username" not in mqtt:
        problems.expected(("mqtt", "username"), f"the user name that goes with {whose}", MISSING)
    try:
        data = _read_some(file)
    except OSError as exc:
        if "password_file" not in mqtt:
            problems.say(path, f"expected a readable credential {_CREDENTIAL}: {exc.strerror}")
        return None
    try:
        return _password_in(data, whose)
    except ValueError as exc:
        problems.say(path, str(exc))
        return None


def password_file(mqtt: Table, base: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the file of the broker's password: `password_file`, or else the credential, if it exists."""
    if "password_file" in mqtt:
        name = _text(mqtt["password_file"])
        return None if name is None else base / name
    if folder := environ.get("CREDENTIALS_DIRECTORY"):
        file = Path(folder) / _CREDENTIAL
        return file if file.exists() else None
    return None


def reread_password(file: Path) -> str:
    """Return the password in a file that may have changed. Raises OSError, or ValueError if it holds none."""
    return _password_in(_read_some(file), str(file))


def _password_in(data: bytes, whose: str) -> str:
    try:
        password = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise ValueError(f"expected UTF-8 text in {whose}, found other bytes") from None
    if not password or len(data) > _MAX_PASSWORD_BYTES:
        found = "a longer text" if password else "an empty one"
        raise ValueError(f"expected a password of 1 to {_MAX_PASSWORD_BYTES} bytes in {whose}, found {found}")
    return password


def _text(value: object) -> str | None:
    """Return the value if it can be the name of a file."""
    return value if isinstance(value, str) and value and value.isprintable() else None


def _read_some(file: Path) -> bytes:
    # Reading a FIFO or a device could block the start forever.
    if file.exists() and not file.is_file():
        raise OSError(0, "not a regular file")
    with file.open("rb") as stream:
        return stream.read(_MAX_PASSWORD_BYTES + 1)


# -- the stations ------------------------------------------------------------------------------------------------


def check_names(stations: Iterable[object], problems: Problems) -> None:
    """Require different ids of stations, and different names of the scanners at one station."""
    seen: dict[tuple[object, ...], KeyPath] = {}
    for path, station in _tables(("station",), stations):
        _once(seen, ("station", station.get("id")), (*path, "id"), "an id of its own", problems)
    for path, scanner in _scanners(stations):
        _once(seen, ("scanner", path[1], scanner.get("name")), (*path, "name"), "a name of its own", problems)


def check_devices(stations: Iterable[object], problems: Problems) -> None:
    """Require that each keyboard is named in exactly one way, and that no two scanners are the same device."""
    seen: dict[tuple[object, ...], KeyPath] = {}
    models: list[tuple[tuple[int, int], str | None, KeyPath]] = []
    what = "a device of its own"
    for path, scanner in _scanners(stations):
        driver = scanner.get("driver")
        if driver == "serial":
            _once(seen, ("path", _normal(scanner.get("port"))), (*path, "port"), what, problems)
        if driver != "evdev":
            continue
        _check_naming(path, scanner, problems)
        _once(seen, ("path", _normal(scanner.get("device"))), (*path, "device"), what, problems)
        _once(seen, ("usb_port", scanner.get("usb_port")), (*path, "usb_port"), what, problems)
        vendor, product = usb_number(scanner.get("vendor")), usb_number(scanner.get("product"))
        if isinstance(vendor, int) and isinstance(product, int):
            serial = scanner.get("serial")
            # Without a serial number a scanner takes any device of its model, also that of another scanner.
            for other, other_serial, other_path in models:
                if other == (vendor, product) and (serial is None or other_serial in (None, serial)):
                    _same((*path, "product"), (*other_path, "product"), what, problems)
                    break
            models.append(((vendor, product), serial, path))


def _check_naming(path: KeyPath, scanner: Table, problems: Problems) -> None:
    by_model = [key for key in ("vendor", "product", "serial") if key in scanner]
    ways = [key for key in ("device", "usb_port") if key in scanner] + [" and ".join(by_model)] * bool(by_model)
    if len(ways) != 1:
        found = " and ".join(ways) or "none of them"
        problems.say(path, f"expected one of device, vendor with product, and usb_port, found {found}")
    for key in ("vendor", "product"):
        if by_model and key not in scanner:
            problems.expected((*path, key), f"the USB {key} number, beside {by_model[0]}", MISSING)


def check_gs(stations: Iterable[object], problems: Problems) -> None:
    """Require that what a scanner sends for GS does not end its scans (`scanning.md#what-stands-for-gs`)."""
    for path, scanner in _scanners(stations):
        gs = scanner.get("gs")
        if scanner.get("terminator") == "\t" and isinstance(gs, str) and ("\t" in gs or gs == "KEY_TAB"):
            problems.expected((*path, "gs"), "something else than the terminator, Tab", gs)


def check_pins(stations: Iterable[object], problems: Problems) -> None:
    """Require that no GPIO pin has two uses in the whole kiosk."""
    seen: dict[tuple[object, ...], KeyPath] = {}
    for path, pin in _pins(stations):
        if isinstance(pin, int) and not isinstance(pin, bool):
            _once(seen, ("pin", pin), path, "a pin of its own", problems)


def _pins(stations: Iterable[object]) -> Iterator[tuple[KeyPath, object]]:
    for path, station in _tables(("station",), stations):
        indicator = station.get("indicator")
        if isinstance(indicator, dict) and indicator.get("driver") == "gpio":
            for key in ("red", "green", "blue", "buzzer"):
                yield (*path, "indicator", key), indicator.get(key)
            bar = indicator.get("bar")
            for place, pin in enumerate(bar if isinstance(bar, list) else []):
                yield (*path, "indicator", "bar", place), pin
        buttons = station.get("buttons")
        if isinstance(buttons, dict):
            for word in BUTTON_WORDS:
                yield (*path, "buttons", word), buttons.get(word)


def _tables(path: KeyPath, values: object) -> Iterator[tuple[KeyPath, Table]]:
    for place, value in enumerate(values if isinstance(values, list) else []):
        if isinstance(value, dict):
            yield (*path, place), value


def _scanners(stations: Iterable[object]) -> Iterator[tuple[KeyPath, Table]]:
    for path, station in _tables(("station",), stations):
        yield from _tables((*path, "scanner"), station.get("scanner"))


def _normal(path: object) -> str | None:
    return os.path.normpath(path) if isinstance(path, str) else None


def _once(
    seen: dict[tuple[object, ...], KeyPath], key: tuple[object, ...], path: KeyPath, what: str, problems: Problems
) -> None:
    """Report a value seen before. `key` ends with the value; one that is missing or of a wrong type is skipped."""
    if not isinstance(key[-1], str | int):
        return
    first = seen.setdefault(key, path)
    if first != path:
        _same(path, first, what, problems)


def _same(path: KeyPath, first: KeyPath, what: str, problems: Problems) -> None:
    problems.say(path, f"expected {what}, found the same as in {dotted(first)}")
