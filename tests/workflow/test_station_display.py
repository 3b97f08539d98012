"""A station's steady light, LED bar and published view."""

from msgspec import to_builtins

from agent.contract.signals import Steady
from agent.workflow.station_display import bar_of, station_view, steady_of
from tests.workflow.bench import Bench, imei, line

ONE, TWO = imei(1), imei(2)
TIME = "2026-11-22T17:53:01.123Z"


def view(bench: Bench, station: str = "1") -> dict[str, object]:
    """The view as JSON values."""
    found: dict[str, object] = to_builtins(station_view(bench.state, station, bench.transients[station], TIME))
    return found


def opened() -> Bench:
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 2), line("2", "CASE", 3, serialized=False))
    bench.opened("SO-1")
    return bench


def test_station_view_of_a_station_that_nobody_used() -> None:
    """`mqtt.md#station-view`"""
    assert view(Bench()) == {
        "state": "ready",
        "signed_in": False,
        "operator": None,
        "order": None,
        "mode": None,
        "product": None,
        "scanned": None,
        "pending": None,
        "box": None,
        "last": None,
        "held": False,
        "time": TIME,
        "connection": 0,
    }


def test_station_view_of_a_station_at_work() -> None:
    """`mqtt.md#station-view`"""
    bench = opened()
    bench.scan("P13")
    bench.scan(ONE)
    bench.do("QTY", "2")
    bench.scan("CASE")
    bench.do("SAVE")
    bench.do("BOX", "M")
    bench.scan("106141412345678908")
    bench.scan("HELLO")
    assert view(bench) == {
        "state": "boxing",
        "signed_in": True,
        "operator": "E7",
        "order": "SO-1",
        "mode": "used",
        "product": "P13",
        "scanned": 3,
        "pending": 2,
        "box": {"id": "3F0C9A1B000001", "units": 3, "size": "M", "label": "106141412345678908"},
        "last": {"signal": "reject", "reason": "box_not_confirmed"},
        "held": False,
        "time": TIME,
        "connection": 0,
    }
    assert bar_of(bench.state, "1") == (3, 5)


def test_station_view_of_a_held_order() -> None:
    """`mqtt.md#station-view`"""
    bench = opened()
    bench.scan(ONE)
    bench.verdict("hold", "SO-1", ONE)
    assert view(bench)["held"] is True


def test_steady_light_of_every_state() -> None:
    """`signals.md#steady-lights`"""
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 1))
    lights = [steady_of(bench.state, "1")]

    def show() -> None:
        lights.append(steady_of(bench.state, "1"))

    bench.sign_in()
    show()
    bench.scan("SO-1")
    show()
    bench.do("ROLE", "PICK")
    show()
    bench.do("CANCEL")
    bench.do("REMOVE")
    show()
    bench.do("CANCEL")
    bench.scan(ONE)
    bench.do("SAVE")
    show()
    bench.do("SAVE")
    bench.do("PACK")
    show()
    bench.verdict("hold", "SO-1", ONE)
    show()
    bench.do("CANCEL")
    bench.do("REMOVE")
    show()
    bench.do("OUT")
    show()
    assert lights == [
        Steady.SIGNED_OUT,
        Steady.READY,
        Steady.SCANNING,
        Steady.ASSIGNING,
        Steady.REMOVING,
        Steady.BOXING,
        Steady.PACKING,
        Steady.HELD,
        Steady.REMOVING,
        Steady.SIGNED_OUT,
    ]


def test_bar_of_a_station_without_an_order() -> None:
    """`signals.md#led-bar`"""
    assert bar_of(Bench().state, "1") == (0, 0)
