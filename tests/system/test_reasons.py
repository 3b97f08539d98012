"""Every reason to refuse a scan: the signal for the operator, and the event for the centre."""

import re
from collections.abc import Callable, Iterator

import pytest

from harness.codes import command
from harness.indicator import Signalled
from harness.models import Rejected
from harness.warehouse import OPERATORS, line
from harness.world import OK, World, refused, world_of
from tests.system.refusals import (
    AMBIGUOUS_BADGE,
    REFUSALS,
    Refusal,
    badge_limited_to_other_roles,
    badge_not_on_the_list,
    badge_that_is_an_order_too,
    held_unit,
    opened,
)

BADGES_REFUSED = (badge_limited_to_other_roles, badge_not_on_the_list, badge_that_is_an_order_too)

SCANNERS = [f"scanner-{number}" for number in range(16)]
"""So many that, used in turn, none has more than five refusals a second: those would be one event."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("reasons"), stations=("1", "2"), scanners=SCANNERS) as found:
        found.centre.operators(
            2, [*OPERATORS, {"operator": "A1", "name": "A", "badges": [AMBIGUOUS_BADGE], "roles": ["picking"]}]
        )
        found.centre.settle()
        yield found


def _name(value: object) -> str | None:
    return None if isinstance(value, str) else getattr(value, "__name__", None)


@pytest.mark.parametrize(("reason", "prepare"), REFUSALS, ids=_name)
def test_refused_with_its_reason(world: World, reason: str, prepare: Callable[[World], Refusal]) -> None:
    """Rules: workflow.md#one-reason-per-refusal, scanning.md#a-badge-never-leaves-the-kiosk."""
    refusal = prepare(world)
    mark = world.mark()
    by = SCANNERS[REFUSALS.index((reason, prepare)) % len(SCANNERS)]
    aim = f"]{refusal.symbology}" if refusal.symbology else ""
    signalled = world.station.scan(aim + refusal.code, by)
    assert signalled == Signalled("again" if reason == "already_counted" else "reject", reason)

    event = world.consumer.wait("scan.rejected", since=mark, where=lambda event: event.data.reason == reason)
    assert isinstance(event.data, Rejected)
    told = event.data
    if prepare in BADGES_REFUSED or refusal.seen == "badge":
        assert re.fullmatch("badge:[0-9a-f]{8}", told.code)
    else:
        assert told.code in (refusal.code, aim + refusal.code)
    assert (told.seen, told.symbology) == (refusal.seen, refusal.symbology)
    assert (told.scanner, told.order, told.count) == (by, refusal.order, 1)
    assert event.station == "1"
    assert (event.operator is None) == (reason == "not_signed_in")
    world.check()


def test_held_unit_sounds_the_alarm_until_it_is_taken_out_and_is_refused_then(world: World) -> None:
    """Rules: workflow.md#held-orders, workflow.md#end-of-a-hold."""
    station, order, units = held_unit(world)
    assert station.scan(units[0]) == Signalled("alarm", "held")
    mark = world.mark()
    assert station.scan_all(command("REMOVE"), units[0]) == [Signalled("prompt", None), Signalled("removed", None)]
    released = world.consumer.wait("order.released", since=mark).data
    assert (released.order, released.unit, released.outcome) == (order, units[0], "unit_removed")
    assert station.scan(units[0]).reason == "held"
    assert station.scan(units[1]) == OK, "the order itself goes on"


def test_packing_of_too_little_is_an_event_of_its_own(world: World) -> None:
    """Rule: workflow.md#start-packing."""
    station, order, units = opened(world)
    station.scan_all(units[0], command("SAVE"), command("SAVE"))
    mark = world.mark()
    assert station.scan(command("PACK")) == refused("quantity_mismatch")
    event = world.consumer.wait("order.packing_refused", since=mark)
    assert event.data.order == order
    assert [line.model_dump() for line in event.data.lines] == [{"line": "1", "ordered": 2, "scanned": 1}]
    assert not world.consumer.since(mark, "scan.rejected")


def test_box_holds_a_thousand_units(world: World) -> None:
    """Rule: workflow.md#scan-a-unit."""
    units = world.supply.imeis(1001)
    order = world.order(line("1", world.supply.sku(), 1001, tacs=[world.supply.tac]))
    station = world.opened(order)
    assert {station.scan(unit) for unit in units[:1000]} == {OK}
    mark = world.mark()
    assert station.scan(units[1000]) == refused("box_full")
    world.consumer.wait("scan.rejected", since=mark)
    boxed = station.scan_all(command("SAVE"), command("SAVE"), units[1000])
    assert boxed == [Signalled("boxed", None), Signalled("saved", None), Signalled("order_done", None)]
    box = world.consumer.wait("box.confirmed", since=mark).data
    assert [len(content.units) for content in box.contents] == [1000]


def test_refusals_in_a_flood_are_signalled_each_and_journaled_together(world: World) -> None:
    """Rule: mqtt.md#counted-refusals."""
    station, _, _ = opened(world)
    mark = world.mark()
    codes = [f"FLOOD {number}" for number in range(200)]
    assert set(station.burst(SCANNERS[0], *codes)) == {refused("unknown_code")}

    def all_told() -> bool:
        counts: list[int] = [event.data.count for event in world.consumer.since(mark, "scan.rejected")]
        return sum(counts) == len(codes)

    world.consumer.wait_until(all_told, "200 refusals")
    assert len(world.consumer.since(mark, "scan.rejected")) < 50
