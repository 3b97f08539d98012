"""`kiosk-agent scanners`: what could be a scanner, as configuration to paste (`commands.md#scanners`)."""

import json
from collections.abc import Iterator, Sequence
from typing import TextIO

from agent.drivers.device_access import access_problem
from agent.drivers.scanners.device_nodes import DeviceKind, DeviceNode
from agent.drivers.scanners.enumeration import plugged_in
from agent.errors import DeviceError
from agent.runtime.log import escape

__all__ = ["note_on", "scanners", "stanza", "stanzas"]

_NOTHING = "Nothing is plugged in that could be a scanner: no keyboard, no serial port."
_TYPES = "No program has grabbed it: what it types now goes to the console of this machine."
_HINT = "# Leave out keyboards that people type on: the kiosk takes every key of a keyboard that is configured.\n"


def scanners(out: TextIO) -> int:
    """Write a `[[station.scanner]]` table for everything that could be a scanner."""
    found = plugged_in()
    if not found:
        out.write(f"{_NOTHING}\n")
        return 0
    if any(one.kind is DeviceKind.EVDEV for one in found):
        out.write(f"{_HINT}\n")
    out.write("\n".join(stanzas(found)))
    return 0


def stanzas(found: Sequence[DeviceNode]) -> Iterator[str]:
    """Yield one TOML table a device."""
    for number, one in enumerate(found, start=1):
        yield stanza(one, name=f"scanner-{number}", note=note_on(one))


def note_on(one: DeviceNode) -> str | None:
    """Return what is wrong with a device at present: no permission, or that it types into the console."""
    if one.kind is DeviceKind.SERIAL:
        problem = access_problem(one.node)
        return None if problem is None else f"{one.node} cannot be opened: {problem}"
    from agent.drivers.scanners.evdev import is_grabbed

    try:
        return None if is_grabbed(one.node) else _TYPES
    except DeviceError as exc:
        return str(exc)


def stanza(one: DeviceNode, *, name: str, settings: Sequence[str] = (), note: str | None = None) -> str:
    """Return the TOML table of one device, with other ways to name it as comments. `settings` are added lines."""
    key = "port" if one.kind is DeviceKind.SERIAL else "device"
    lines = [
        f"# {escape(one.name)} ({escape(one.node)})",
        *([] if note is None else [f"# {escape(note)}"]),
        "[[station.scanner]]",
        f"name = {_text(name)}",
        f'driver = "{one.kind}"',
        f"{key} = {_text(one.path)}",
    ]
    if one.kind is DeviceKind.EVDEV:
        lines += _other_ways(one)
    return "\n".join([*lines, *settings]) + "\n"


def _other_ways(one: DeviceNode) -> Iterator[str]:
    if one.vendor is not None and one.product is not None:
        serial = "" if one.serial is None else f"; serial = {_text(one.serial)}"
        yield f'# or: vendor = "{one.vendor:04x}"; product = "{one.product:04x}"{serial}'
    if one.usb_port is not None:
        yield f"# or: usb_port = {_text(one.usb_port)}"


def _text(text: str) -> str:
    """Quote as a basic string of TOML, for which JSON's rules are strict enough."""
    return json.dumps(text, ensure_ascii=False)
