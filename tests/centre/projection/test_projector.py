"""What each event does to a box and to its order."""

import pytest

from agent.contract.event_values import Content, Reopened, Size, Unit
from agent.contract.events import (
    BoxConfirmed,
    BoxCreated,
    BoxReopened,
    BoxSized,
    BoxVoided,
    Event,
    Held,
    PackingConfirmed,
    Rejected,
    RoleAssigned,
    Voided,
)
from agent.contract.manifest import Role
from agent.contract.reasons import Reason
from centre.projection.projected_box import BoxStage, ProjectedBox
from centre.projection.projected_order import ProjectedOrder
from centre.projection.projector import Fact, Projector, boxes_needed, orders_needed, units_named
from tests.centre.ingest.played import USED, confirmed, contents, created, opened, scanned

T1, T2 = "2026-11-22T17:00:00.000Z", "2026-11-22T18:00:00.000Z"
MIXED = (*contents("A", "B"), Content(line="2", sku="CABLE", quantity=3, units=()))


def facts(*events: Event, journal_id: int = 1) -> list[Fact]:
    return [Fact(journal_id, position, T1, event) for position, event in enumerate(events, 1)]


def project(*events: Event, orders: dict[str, ProjectedOrder] | None = None) -> Projector:
    """Project events into an empty centre."""
    known = orders or {}
    projector = Projector({}, {name: known.get(name, ProjectedOrder(name)) for name in orders_needed(facts(*events))})
    for fact in facts(*events):
        projector.apply(fact)
    return projector


def box_of(*events: Event) -> ProjectedBox:
    return project(*events).boxes[1, "B1"]


def held_in(box: ProjectedBox) -> list[tuple[str, str | None, int, int | None]]:
    return [(piece.line, piece.unit, piece.quantity, piece.position) for piece in box.pieces]


def cables(quantity: int) -> Event:
    return scanned(None, quantity=quantity, line="2")


def voided(unit: str | None, quantity: int = 1, box: str = "B1") -> Event:
    return Voided(
        sequence="000000000001",
        order="SO-1",
        line="1" if unit else "2",
        sku="P13",
        mode=USED,
        unit=None if unit is None else Unit(scheme="serial", id=unit),
        quantity=quantity,
        box=box,
        scanner=None,
        symbology=None,
        line_scanned=0,
        line_pending=0,
        order_scanned=0,
        order_pending=0,
    )


def test_scans_fill_a_box() -> None:
    box = box_of(scanned("A"), cables(3), scanned("B"))
    assert held_in(box) == [("1", "A", 1, 1), ("2", None, 3, 2), ("1", "B", 1, 3)]
    assert (box.state, box.order, box.mode) == (BoxStage.OPEN, "SO-1", "used")


@pytest.mark.parametrize(
    ("removed", "left"),
    [
        ([voided("A")], [("B", 1), (None, 3), (None, 4)]),
        ([voided("a")], [("B", 1), (None, 3), (None, 4)]),
        ([voided("A"), voided("A")], [("B", 1), (None, 3), (None, 4)]),
        ([voided("Z")], [("A", 1), ("B", 1), (None, 3), (None, 4)]),
        ([voided(None)], [("A", 1), ("B", 1), (None, 3), (None, 3)]),
        ([voided(None, 5)], [("A", 1), ("B", 1), (None, 2)]),
        ([voided(None, 99)], [("A", 1), ("B", 1)]),
        ([voided("A", box="B2")], [("A", 1), ("B", 1), (None, 3), (None, 4)]),
    ],
)
def test_removals(removed: list[Event], left: list[tuple[str | None, int]]) -> None:
    box = box_of(scanned("A"), scanned("B"), cables(3), cables(4), *removed)
    assert [(piece.unit, piece.quantity) for piece in box.pieces] == left


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([scanned("A"), scanned("B"), cables(3)], [("A", 1, 1), ("B", 1, 2), (None, 3, 3)]),
        ([scanned("A"), scanned("C"), cables(9)], [("A", 1, 1), (None, 3, 3), ("B", 1, None)]),
        ([cables(1), cables(1)], [(None, 1, 1), (None, 1, 2), ("A", 1, None), ("B", 1, None), (None, 1, None)]),
        ([scanned("a"), scanned(None, quantity=2)], [("a", 1, 1), ("B", 1, None), (None, 3, None)]),
        ([scanned("A", line="7"), scanned("B")], [("B", 1, 2), ("A", 1, None), (None, 3, None)]),
        ([], [("A", 1, None), ("B", 1, None), (None, 3, None)]),
    ],
)
def test_a_box_event_tells_what_is_in_it(before: list[Event], after: list[tuple[str | None, int, int | None]]) -> None:
    box = box_of(*before, BoxCreated(box="B1", order="SO-1", mode=USED, contents=MIXED))
    assert [(piece.unit, piece.quantity, piece.position) for piece in box.pieces] == after


def test_a_confirmed_box_has_size_and_label() -> None:
    size = Size(code="M", length_mm=300, width_mm=200, height_mm=150)
    sized = BoxSized(box="B1", order="SO-1", size="M", label="L1")
    event = BoxConfirmed(box="B1", order="SO-1", mode=USED, contents=contents("A"), size=size, label="L1")
    before = box_of(scanned("A"), created("A"), sized)
    assert (before.state, before.size, before.length_mm, before.label) == (BoxStage.CREATED, "M", None, "L1")
    box = box_of(scanned("A"), created("A"), sized, event)
    assert (box.state, box.size, box.length_mm, box.width_mm, box.height_mm, box.label, box.confirmed_at) == (
        BoxStage.CONFIRMED, "M", 300, 200, 150, "L1", T1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "expected"), [(Reopened.BOXING, BoxStage.CREATED), (Reopened.SCANNING, BoxStage.OPEN)]
)
def test_a_reopened_box_is_not_confirmed(state: Reopened, expected: BoxStage) -> None:
    event = BoxReopened(box="B1", order="SO-1", mode=USED, contents=contents("A"), state=state)
    box = box_of(scanned("A"), confirmed("A"), event)
    assert (box.state, box.confirmed_at, len(box.pieces)) == (expected, None, 1)


def test_a_dissolved_box_is_empty() -> None:
    box = box_of(scanned("A"), BoxVoided(box="B1", order="SO-1", mode=USED, contents=()))
    assert (box.state, box.pieces) == (BoxStage.VOIDED, [])


def voided_in_the_centre() -> ProjectedBox:
    box = ProjectedBox(1, "B1", "SO-1", 5)
    box.enter(BoxStage.VOIDED, None)
    box.voided_by = "user:ada"
    return box


def test_a_box_that_the_centre_voided_comes_back_by_an_event() -> None:
    box = voided_in_the_centre()
    projector = Projector({(1, "B1"): box}, {"SO-1": ProjectedOrder("SO-1")})
    projector.apply(facts(confirmed("A"))[0])
    assert (box.state, box.voided_by) == (BoxStage.CONFIRMED, None)


def test_boxes_of_two_journals_are_two() -> None:
    projector = Projector({}, {"SO-1": ProjectedOrder("SO-1")})
    for journal_id in (1, 2):
        projector.apply(facts(scanned("A"), journal_id=journal_id)[0])
    assert set(projector.boxes) == {(1, "B1"), (2, "B1")}


# -- orders ----------------------------------------------------------------------------------------------------------

PACKED = PackingConfirmed(
    order="SO-1", revision=3, lines=(), boxes=("B1",), operators={"picking": "E1", "packing": None}
)


@pytest.mark.parametrize(
    ("before", "event", "after"),
    [
        (ProjectedOrder("SO-1"), opened(), ("in_progress", T1, None)),
        (ProjectedOrder("SO-1", opened_at=T2), opened(), ("in_progress", T1, None)),
        (ProjectedOrder("SO-1", status="packed", packed_at=T2), opened(), ("packed", T1, T2)),
        (ProjectedOrder("SO-1", status="cancelled"), opened(), ("cancelled", T1, None)),
        (ProjectedOrder("SO-1"), scanned("A"), ("in_progress", None, None)),
        (ProjectedOrder("SO-1", status="withdrawn"), scanned("A"), ("withdrawn", None, None)),
        (ProjectedOrder("SO-1"), PACKED, ("packed", None, T1)),
        (ProjectedOrder("SO-1", status="packed", packed_at=T2), PACKED, ("packed", None, T1)),
        (ProjectedOrder("SO-1", status="cancelled"), PACKED, ("cancelled", None, T1)),
        (ProjectedOrder("SO-1", status="withdrawn"), PACKED, ("withdrawn", None, T1)),
        (ProjectedOrder("SO-1", status="in_progress", reopen=3), PACKED, ("packed", None, T1)),
        (ProjectedOrder("SO-1", status="in_progress", reopen=4), PACKED, ("in_progress", None, None)),
    ],
)
def test_the_state_of_an_order(before: ProjectedOrder, event: Event, after: tuple[str, str | None, str | None]) -> None:
    order = project(event, orders={"SO-1": before}).orders["SO-1"]
    assert (order.status, order.opened_at, order.packed_at) == after


def test_who_did_it() -> None:
    assigned = RoleAssigned(order="SO-1", role=Role.PACKING, operator="E2")
    assert project(assigned, PACKED).orders["SO-1"].operators == {"packing": "E2", "picking": "E1"}


def test_what_changes_an_order_and_its_messages() -> None:
    rejected = Rejected(reason=Reason.HELD, code="x", seen=None, symbology=None, scanner=None, order="SO-2")
    held = Held(verdict="v", order="SO-3", unit="A", reason=None)
    projector = project(scanned("A"), rejected, held, confirmed("B", order="SO-4", box="B4"), PACKED)
    assert projector.changed == {"SO-1", "SO-3", "SO-4"}
    assert projector.to_renew == {"SO-1", "SO-4"}


def test_what_needs_to_be_read() -> None:
    assert boxes_needed(facts(scanned("A"), scanned("B", box="B2"), voided("A"), opened())) == {
        (1, "B1"): True,
        (1, "B2"): False,
    }


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (scanned("abc"), {"ABC", "ABC-2"}),
        (scanned(None), set()),
        (voided("A"), {"A"}),
        (Held(verdict="v", order="SO-1", unit="293608736500703710", reason=None), {"AF0123450ABCDE"}),
        (Held(verdict="v", order="SO-1", unit=None, reason=None), set()),
        (confirmed("A"), set()),
    ],
)
def test_the_devices_that_an_event_names(event: Event, expected: set[str]) -> None:
    assert units_named(event) == expected
