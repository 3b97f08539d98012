"""`kiosk-agent status`: what the running daemon sees, read from its Unix socket (`commands.md#status-of-the-daemon`).

The daemon answers each connection with one JSON document and closes it.
"""

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from agent.daemon.status_socket import PATIENCE_S, SOCKET_NAME
from agent.errors import KioskError
from agent.runtime.log import escape

__all__ = ["NotRunning", "ask_daemon", "status"]

_MAX_BYTES = 16 << 20


class NotRunning(KioskError, ConnectionError):
    """No daemon answers."""


def status(state_dir: Path, out: TextIO, *, as_json: bool = False) -> int:
    """Write the answer of the daemon on `state_dir`, as tables or as JSON. Raises NotRunning if there is none."""
    answer = ask_daemon(state_dir / SOCKET_NAME)
    if as_json:
        json.dump(answer, out, indent=2, ensure_ascii=True)
        out.write("\n")
    else:
        out.writelines(f"{line}\n" for line in _lines(answer))
    return 0


def ask_daemon(path: Path) -> Mapping[str, Any]:
    """Return the document that the daemon answers at its socket. Raises NotRunning."""
    data = bytearray()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
            stream.settimeout(PATIENCE_S)
            stream.connect(str(path))
            while len(data) < _MAX_BYTES and (part := stream.recv(65536)):
                data += part
    except (FileNotFoundError, ConnectionRefusedError) as exc:
        raise NotRunning(f"the daemon does not run (nobody answers at {path})") from exc
    except PermissionError as exc:
        raise NotRunning(f"this user may not ask the daemon at {path}: try as root") from exc
    except TimeoutError as exc:
        raise NotRunning(f"the daemon at {path} did not answer within {PATIENCE_S:.0f} s") from exc
    except OSError as exc:
        raise NotRunning(f"cannot ask the daemon at {path}: {exc.strerror or exc}") from exc
    try:
        answer = json.loads(data)
    except ValueError as exc:
        raise NotRunning(f"the daemon at {path} broke off in its answer") from exc
    if not isinstance(answer, dict):
        raise NotRunning(f"what answers at {path} is no daemon of ours")
    return answer


# -- as tables ---------------------------------------------------------------------------------------------------


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    uptime = _duration(answer.get("uptime_s"))
    yield f"kiosk-agent {_cell(answer.get('version'))}, journal {_cell(answer.get('journal'))}, up {uptime}"
    stations = [one for one in answer.get("stations", ()) if isinstance(one, dict)]
    if stations:
        yield ""
        yield from _table(
            ("STATION", "STATE", "OPERATOR", "ORDER", "MODE", "SCANNED", "PENDING", "BOX", "LAST"),
            [_station_row(station) for station in stations],
        )
        yield ""
        yield from _table(
            ("STATION", "SCANNER", "DRIVER", "CONNECTED", "WHERE"),
            [_scanner_row(station, scanner) for station in stations for scanner in station.get("scanners", ())],
        )
    health = answer.get("health")
    if isinstance(health, dict) and health:
        yield ""
        yield from _table(("HEALTH", ""), [list(pair) for pair in _flat(health)])


def _station_row(station: Mapping[str, Any]) -> list[str]:
    box = station.get("box") or {}
    last = station.get("last") or {}
    state = _cell(station.get("state")) if station.get("signed_in") else "signed out"
    return [
        _cell(station.get("id")),
        f"{state}, held" if station.get("held") else state,
        *(_cell(station.get(key)) for key in ("operator", "order", "mode", "scanned", "pending")),
        f"{_cell(box.get('id'))} ({_cell(box.get('units'))})" if box.get("id") else "-",
        " ".join(_cell(last[key]) for key in ("signal", "reason") if last.get(key)) or "-",
    ]


def _scanner_row(station: Mapping[str, Any], scanner: Mapping[str, Any]) -> list[str]:
    keys = ("name", "driver", "connected", "detail")
    return [_cell(station.get("id")), *(_cell(scanner.get(key)) for key in keys)]


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every value. Nested tables get dotted names, tables in a list also their place."""
    for key, one in value.items():
        name = f"{prefix}{escape(str(key))}"
        if isinstance(one, dict) and one:
            yield from _flat(one, f"{name}.")
        elif isinstance(one, list) and any(isinstance(item, dict) for item in one):
            for place, item in enumerate(one):
                yield from _flat(item if isinstance(item, dict) else {"": item}, f"{name}[{place}].")
        else:
            yield name, _cell(one)


def _cell(value: object) -> str:
    if value is None or value == "" or value == [] or value == {}:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_cell(one) for one in value)
    return escape(str(value))


def _duration(seconds: object) -> str:
    if not isinstance(seconds, int | float):
        return "-"
    minutes, _ = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
