"""The tables of real-world inputs: read from the TOML files beside this module, into frozen rows."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from harness.warehouse import OPERATORS, manifest
from tests.field.notation import Pause, Piece, pieces_of_bytes, pieces_of_keys, plain_bytes

__all__ = ["ROWS", "Answer", "Expected", "Row", "Setup", "check"]

_HERE = Path(__file__).parent
_DEFAULT_LINE = {"flow": "used", "serialized": True, "quantity": 10}
_ENDS = {"\r": b"\r", "\n": b"\n", "\r\n": b"\r\n", "\t": b"\t"}


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Where a row begins: the orders of the cache, the scanner's settings and what the station is doing.

    `state` is `signed_out`, `ready` (E7 signed in) or `open` (the first order opened too).
    """

    about: str
    state: str = "open"
    orders: Sequence[Mapping[str, Any]]
    scanner: Mapping[str, Any] = field(default_factory=dict)
    workflow: Mapping[str, Any] = field(default_factory=dict)
    operators: Sequence[Mapping[str, Any]] = ()
    """More operators than the warehouse has."""
    blocked: Sequence[str] = ()
    apart: bool = False
    """Its rows need a daemon of their own: a badge or a blocked unit would disturb the others."""
    nodes: Sequence[float] = (0.0,)
    """When each event node of a keyboard wedge appears, in seconds."""

    @property
    def is_keyboard(self) -> bool:
        return self.scanner.get("driver") == "evdev"

    @property
    def operators_list(self) -> list[dict[str, Any]]:
        return [*OPERATORS, *map(dict, self.operators)]

    def manifests(self, row: str) -> list[dict[str, Any]]:
        """Return the manifests for one row. An order without an id gets one that no other row has."""
        found = []
        for number, order in enumerate(self.orders, 1):
            more = {"order": row if number == 1 else f"{row}-{number}", **order}
            lines = [
                {"line": str(place), **_DEFAULT_LINE, **line} for place, line in enumerate(more.pop("lines", ()), 1)
            ]
            found.append(manifest(more.pop("order"), *lines, **more))
        return found


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The right answer. `signals` are in the order of the scans; `reason` is that of the last.

    `event` has the type of an event that the input causes, and the fields that matter; None: it causes no event.
    """

    signals: Sequence[str]
    reason: str | None
    event: Mapping[str, Any] | None
    health: Sequence[str]
    """Texts that `health` has to contain after the scan."""


@dataclass(frozen=True, kw_only=True)
class Row:
    subject: str
    id: str
    source: str
    setup: Setup
    before: Sequence[bytes]
    """Codes scanned before, with another scanner; all are accepted."""
    pieces: Sequence[Piece | Pause]
    expected: Expected
    waits: str | None
    """The rule that this row waits for; until it is built, the row fails."""
    waits_in: str | None
    """`daemon`: the row fails only in the real daemon."""

    def __str__(self) -> str:
        return f"{self.subject}-{self.id}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one row got: (signal, reason) of each scan, and the documents of the events."""

    shown: Sequence[tuple[str, str | None]]
    documents: Sequence[Mapping[str, Any]]
    health: str | None = None
    """The health as JSON text; None where there is none to ask for."""


def check(row: Row, answer: Answer) -> None:
    """Raise AssertionError unless the answer is the expected one."""
    expected = row.expected
    assert [signal for signal, _ in answer.shown] == list(expected.signals), answer.shown
    if answer.shown:
        assert answer.shown[-1][1] == expected.reason, answer.shown
    facts = [_facts(document) for document in answer.documents]
    if expected.event is None:
        assert not facts
    else:
        assert any(_is_like(fact, expected.event) for fact in facts), facts
        accepting = [fact for fact in facts if fact["type"] == "scan.accepted"]
        assert not accepting or expected.event["type"] != "scan.rejected", accepting
    if answer.health is not None:
        for text in expected.health:
            # The health is JSON, with everything that is not ASCII as an escape.
            assert json.dumps(text)[1:-1] in answer.health, answer.health


def _facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the type and the data of an event, with the unit's fields beside them."""
    facts = {"type": document["type"].removeprefix("kiosk.").removesuffix(".v1"), **document["data"]}
    unit = facts.get("unit")
    if isinstance(unit, Mapping):
        facts |= {"unit": unit["id"], "scheme": unit["scheme"], "aliases": unit["aliases"]}
    return facts


def _is_like(facts: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(_is_same(facts.get(name), value) for name, value in wanted.items())


def _is_same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and isinstance(found, str):
        return found == wanted or ("?" in wanted and fnmatchcase(found, wanted))
    return bool(found == wanted)


# -- reading the tables ----------------------------------------------------------------------------------------------


def _event(row: dict[str, Any], signals: Sequence[str], reason: str | None) -> Mapping[str, Any] | None:
    event = row.pop("event", None)
    if event is None and signals and signals[-1] == "reject":
        event = {}
    if event is None:
        return None
    assert isinstance(event, dict)
    if signals and signals[-1] == "reject":
        # Without a `seen`, there is none; `"any"` where the contract names none.
        event = {"type": "scan.rejected", "reason": reason, "seen": row.pop("seen", None), **event}
        if event["seen"] == "any":
            del event["seen"]
    return event


def _pieces(row: dict[str, Any], setup: Setup) -> list[Piece | Pause]:
    if "keys" in row:
        return pieces_of_keys(row.pop("keys"))
    if "sends" in row:
        return pieces_of_bytes(row.pop("sends"))
    return [*pieces_of_bytes(row.pop("input")), Piece(_ENDS[setup.scanner.get("terminator", "\r")])]


def _row(subject: str, row: dict[str, Any], setups: Mapping[str, Setup]) -> Row:
    setup = setups[row.pop("setup")]
    signal, reason = row.pop("signal"), row.pop("reason", None)
    signals = [signal] if isinstance(signal, str) else list(signal)
    waits, _, waits_in = row.pop("waits", "").partition(", ")
    found = Row(
        subject=subject,
        id=row.pop("id"),
        source=row.pop("source"),
        setup=setup,
        before=[plain_bytes(code) for code in row.pop("before", ())],
        pieces=_pieces(row, setup),
        expected=Expected(
            signals=signals, reason=reason, event=_event(row, signals, reason), health=row.pop("health", ())
        ),
        waits=waits or None,
        waits_in=waits_in or None,
    )
    assert not row, f"{found}: unknown keys {sorted(row)}"
    return found


def _rows_of(path: Path) -> list[Row]:
    table = tomllib.loads(path.read_text("utf-8"))
    setups = {}
    for name, values in table["setup"].items():
        # One order may stand as it is, without a list around it.
        orders = values.pop("orders", None) or [
            {name: values.pop(name) for name in ("order", "barcodes", "lines") if name in values}
        ]
        setups[name] = Setup(orders=orders, **values)
    return [_row(path.stem.replace("_", "-"), row, setups) for row in table["row"]]


ROWS = [row for path in sorted(_HERE.glob("*.toml")) for row in _rows_of(path)]
