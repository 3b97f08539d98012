"""`kiosk-agent journal`: read the journal while the daemon runs, or after damage (`commands.md#journal`)."""

import json
import re
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from agent.exit_codes import ExitCode
from agent.journal.external_reader import Damage, read_all, read_bases, segments_in
from agent.journal.records import StoredEvent

__all__ = ["export", "tail", "verify"]

_POLL_S = 0.5
_EVERYTHING = 1 << 63
_SHOWN = ("reason", "line", "sku", "unit", "quantity", "box", "what", "value", "mode", "kind", "role", "cause", "code")


def _wait() -> None:
    time.sleep(_POLL_S)


def _directory(state_dir: Path, err: TextIO) -> Path | None:
    directory = state_dir / "journal"
    try:
        if segments_in(directory):
            return directory
        problem = "holds no journal"
    except OSError as exc:
        problem = f"cannot be read: {exc.strerror}"
    print(f"{directory} {problem}", file=err)
    return None


def _printable(text: str) -> str:
    """Escape everything that is not printable: a barcode must not control a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _text(value: object) -> str:
    if isinstance(value, dict) and "id" in value:
        return str(value["id"])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _line(event: StoredEvent) -> str:
    """Return one event as one line for a person."""
    try:
        doc: dict[str, Any] = json.loads(event.document)
    except ValueError:
        return f"{_name(event)} " + _printable(event.document.decode("utf-8", "replace"))
    data = doc.get("data") or {}
    kind = str(doc.get("type", "")).removeprefix("kiosk.").removesuffix(".v1")
    station, operator, order = (_text(doc.get(key, "-")) for key in ("station", "operator", "subject"))
    facts = " ".join(f"{name}={_text(data[name])}" for name in _SHOWN if data.get(name) is not None)
    head = f"{_name(event)} {_text(doc.get('time', '-'))}"
    return _printable(f"{head} {kind:<24} station {station} operator {operator} order {order} {facts}".rstrip())


def tail(
    state_dir: Path,
    out: TextIO,
    *,
    count: int = 20,
    follow: bool = False,
    err: TextIO | None = None,
    wait: Callable[[], None] = _wait,
) -> int:
    """Write the last `count` events, one per line. With `follow`, go on with new events until interrupted.

    Return OK, REFUSED if there is no journal, or DAMAGED after the places were written to `err`.
    """
    err = sys.stderr if err is None else err
    directory = _directory(state_dir, err)
    if directory is None:
        return ExitCode.REFUSED
    indices = segments_in(directory)
    back = 1
    while True:
        since = indices[-back] if back < len(indices) else 0
        last: deque[StoredEvent] = deque(maxlen=count)
        damages = []
        seen = 0
        for found in read_all(directory, since=since):
            if isinstance(found, StoredEvent):
                last.append(found)
                seen += 1
            elif isinstance(found, Damage):
                damages.append(found)
        if seen >= count or since == 0:
            break
        back *= 2
    for event in last:
        print(_line(event), file=out)
    for damage in damages:
        print(damage, file=err)
    if follow:
        _follow(directory, out, after=last[-1].position if last else 0, since=since, wait=wait)
    return ExitCode.DAMAGED if damages else ExitCode.OK


def _follow(directory: Path, out: TextIO, *, after: int, since: int, wait: Callable[[], None]) -> None:
    try:
        while True:
            out.flush()
            wait()
            newest = segments_in(directory)
            for found in read_all(directory, since=since):
                if isinstance(found, StoredEvent) and found.position > after:
                    print(_line(found), file=out)
                    after = found.position
            # The newest segment may be empty, and the one before it may have grown: read that one again next time.
            since = max(since, newest[-2] if len(newest) > 1 else 0)
    except KeyboardInterrupt:
        return


def export(
    state_dir: Path,
    out: TextIO,
    *,
    first: str | None = None,
    through: str | None = None,
    err: TextIO | None = None,
) -> int:
    """Write the CloudEvents documents exactly as published, one per line.

    `out` must encode UTF-8 and not translate newlines. `first` and `through` are a sequence under the newest journal
    id, or the beginning of an event's id: `JOURNAL-SEQUENCE`. Return as `tail`; USAGE if one of them names no event.
    """
    err = sys.stderr if err is None else err
    directory = _directory(state_dir, err)
    if directory is None:
        return ExitCode.REFUSED
    known = read_bases(directory)
    low = 0 if first is None else _position(known, first)
    high = _EVERYTHING if through is None else _position(known, through)
    for option, text, position in (("--from", first, low), ("--through", through, high)):
        if position is None:
            problem = "expected the sequence or the id of an event in this journal"
            print(f"{option} {_printable(str(text))}: {problem}", file=err)
    if low is None or high is None:
        return ExitCode.USAGE
    code = ExitCode.OK
    for found in read_all(directory):
        if isinstance(found, StoredEvent):
            if low <= found.position <= high:
                out.write(found.document.decode("utf-8", "surrogateescape") + "\n")
        else:
            print(found, file=err)
            code = ExitCode.DAMAGED if isinstance(found, Damage) else code
    return code


def _position(known: dict[str, int], text: str) -> int | None:
    """Return the position that a sequence or an event's id means; None if it is neither, or of another journal."""
    match = re.fullmatch(r"(?:([0-9A-F]{8})-)?([0-9]{1,18})(?:-[^-]*)?", text, re.ASCII)
    if match is None or not known:
        return None
    journal = match[1] or next(reversed(known))
    return known[journal] + int(match[2]) if journal in known else None


def verify(state_dir: Path, out: TextIO, *, err: TextIO | None = None) -> int:
    """Check every event; write to `out` what is damaged, where, and how many events are sound. Return as `tail`.

    While a daemon runs, its newest event must be there too (`faults.md#journal-file-gone`).
    """
    err = sys.stderr if err is None else err
    directory = _directory(state_dir, err)
    if directory is None:
        return ExitCode.REFUSED
    running = _journal_of_daemon(state_dir)
    known = read_bases(directory)
    if not known:
        print(f"{directory} holds no journal", file=err)
        return ExitCode.REFUSED
    events = damages = 0
    first = last = None
    for found in read_all(directory):
        if isinstance(found, StoredEvent):
            events += 1
            first = first or found
            last = found
            continue
        damages += isinstance(found, Damage)
        print(found, file=out)
    if running is not None and not _holds(known, last, *running):
        damages += 1
        text = f"journal {running[0]} up to {running[1]}, which the running daemon has written, is not in it"
        print(f"{directory}: {text}", file=out)
    span = "" if first is None or last is None else f", {_name(first)} to {_name(last)}"
    print(f"{events} sound events{span}; {damages} damaged places", file=out)
    return ExitCode.DAMAGED if damages else ExitCode.OK


def _journal_of_daemon(state_dir: Path) -> tuple[str, int] | None:
    """Return the journal id and newest sequence of the running daemon; None if no daemon runs, or it has none yet."""
    from agent.commands.status import NotRunning, ask_daemon
    from agent.daemon.status_socket import SOCKET_NAME

    try:
        answer = ask_daemon(state_dir / SOCKET_NAME)
        return str(answer["journal"] or ""), int(answer["health"]["uplink"]["last"])
    except (NotRunning, KeyError, TypeError, ValueError):
        return None


def _holds(known: dict[str, int], last: StoredEvent | None, journal: str, sequence: int) -> bool:
    if journal == "" or sequence == 0:
        return True  # the daemon has no journal open, or nothing in it
    return journal in known and last is not None and last.position >= known[journal] + sequence


def _name(event: StoredEvent) -> str:
    return f"{event.journal}-{event.sequence:012d}"
