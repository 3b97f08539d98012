"""What holds whatever is scanned, in whatever order, at two stations, while the centre changes its mind.

The bench checks at every commit that replay and snapshot give the state, that events carry the counts after them, that
scanned + pending = ordered, that no unit is counted twice and no box id given twice.
"""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.events import Released
from agent.identifiers import Verb, command_text, label_text
from agent.reasons import Reason
from agent.signals import Signal
from agent.workflow.state import Phase
from agent.workflow.view import bar_of, station_view, steady_of
from tests.workflow.bench import AGAIN, BADGES, GTIN, Bench, imei, line

GS = "\x1d"
UNITS = [imei(number) for number in range(1, 5)]
OTHER = [imei(number, "86000000") for number in range(1, 3)]
ORDERS = ["SO-1", "SO-2", "SO-3"]

MANIFESTS: dict[str, tuple[list[dict[str, object]], ...]] = {
    "SO-1": (
        [
            line("1", "P13", 2, tacs=["35000000"], gtins=[GTIN]),
            line("2", "CASE", 4, serialized=False),
            line("3", "P14", 1, flow="pos", tacs=["86000000"]),
        ],
        [line("1", "P13", 1, units=[[UNITS[0], UNITS[1]]]), line("2", "CASE", 2, serialized=False)],
        [line("3", "P14", 2, flow="pos", tacs=["86000000"]), line("4", "CASE", 1, serialized=False, flow="pos")],
    ),
    "SO-2": ([line("1", "P13", 2)], [line("1", "P13", 1), line("2", "P13", 3)]),
    "SO-3": (
        [
            line("1", "P13", 2, flow="distribution", gtins=[GTIN]),
            line("2", "CASE", 3, flow="distribution", serialized=False),
        ],
        [line("1", "P13", 3, flow="distribution", serial_length=[6, 8], gtins=[GTIN])],
    ),
}
COUNTED = [
    {"line": "1", "quantity": 1, "units": [UNITS[3]], "box": "9A77000000000001"},
    {"line": "1", "quantity": 1, "units": [UNITS[0]], "box": "3F0C9A1B000001"},
]

COMMANDS = [
    command_text(Verb(verb), argument)
    for verb, argument in (
        ("SAVE", ""), ("SAVE", ""), ("SAVE", ""), ("PACK", ""), ("CONFIRM", ""), ("UNDO", ""), ("REMOVE", ""),
        ("CANCEL", ""), ("CANCEL", ""), ("MODE", "USED"), ("MODE", "POS"), ("MODE", "DIST"), ("KIND", "SERIAL"),
        ("KIND", "SKU"), ("KIND", "AUTO"), ("ROLE", "PICK"), ("ROLE", "ALL"), ("QTY", "1"), ("QTY", "2"), ("QTY", "3"),
        ("BOX", "M"), ("BOX", "L"), ("BOX", "XL"), ("CLOSE", ""), ("OUT", ""), ("REPEAT", ""), ("WHERE", ""),
    )
]  # fmt: skip
SCANNABLE = [
    *UNITS, *UNITS, *OTHER, "ABC1234", UNITS[0][:-1] + "0", "0" * 15,
    "CASE", "case", "P13", "P14", GTIN, "]E0" + GTIN[1:],
    f"]C101{GTIN}8002{UNITS[1]}", f"]d201{GTIN}21ABC1234{GS}8002{UNITS[2]}", f"]Q38002{UNITS[0]}{GS}8002{UNITS[1]}",
    *ORDERS, *ORDERS, BADGES["E7"], BADGES["E7"], BADGES["E8"], BADGES["E9"], "ZBNOTLISTEDY",
    "106141412345678908", label_text("BOX1"), "HELLO", "8944110065123456783", "\x00\x1b[0m", "]Q1" + COMMANDS[0],
    *COMMANDS, *COMMANDS,
]  # fmt: skip

Action = Callable[[Bench], None]


def scan(code: str, station: str, scanner: str, after: float, intact: bool) -> Action:
    def act(bench: Bench) -> None:
        bench.scan(code, station=station, scanner=scanner, after=after, intact=intact)

    return act


def revise(order: str, variant: int, status: str, reopen: bool, counted: bool) -> Action:
    def act(bench: Bench) -> None:
        variants = MANIFESTS[order]
        bench.order(
            order,
            *variants[variant % len(variants)],
            revision=(bench.catalogue.revision(order) or 0) + 1,
            status=status,
            reopen=reopen,
            counted=COUNTED if counted else [],
            operators={"picking": "E7", "packing": "E7"} if variant % 2 else {"packing": "E8"},
        )

    return act


def withdraw(order: str) -> Action:
    return lambda bench: bench.withdraw(order) and None or None


def judge(action: str, order: str, unit: str, id: str) -> Action:
    def act(bench: Bench) -> None:
        bench.verdict(action, order, unit, id=id, revision=bench.state.verdicts.get(id, 0) + 1)

    return act


def block(unit: str) -> Action:
    return lambda bench: bench.block(unit)


def delist(listed: bool) -> Action:
    def act(bench: Bench) -> None:
        known = bench.catalogue.operators
        items = [{"operator": "E7", "badges": [BADGES["E7"]]}]
        if listed:
            items.append({"operator": "E8", "badges": [BADGES["E8"]]})
        bench.operators(*items, revision=known.revision + 1 if known is not None else 1)

    return act


def restart(bench: Bench) -> None:
    bench.restart()


stations = st.sampled_from(["1", "1", "2"])
scans = st.builds(
    scan,
    st.sampled_from(SCANNABLE),
    stations,
    st.sampled_from(["left", "right"]),
    st.sampled_from([1.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.6, 4.0, 11.0, 700.0]),
    st.sampled_from([True] * 19 + [False]),
)
centre = st.one_of(
    st.builds(
        revise,
        st.sampled_from(ORDERS),
        st.integers(0, 3),
        st.sampled_from(["open", "open", "open", "packed", "cancelled"]),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(withdraw, st.sampled_from(ORDERS)),
    st.builds(judge, st.sampled_from(["hold", "release"]), st.sampled_from(ORDERS), st.sampled_from(UNITS),
              st.sampled_from(["v1", "v2"])),
    st.builds(block, st.sampled_from(UNITS)),
    st.builds(delist, st.booleans()),
    st.just(restart),
)  # fmt: skip
days = st.lists(st.one_of(scans, scans, scans, scans, scans, centre), max_size=70)


def bench_at_work(full: bool) -> Bench:
    """Both stations at work, or nobody there yet."""
    bench = Bench()
    for order, variants in MANIFESTS.items():
        bench.order(order, *variants[0])
    if full:
        bench.opened("SO-1")
        bench.do("MODE", "USED")
        bench.all([UNITS[0], "CASE"])
        bench.opened("SO-3", station="2")
        bench.all(["P13", UNITS[2]], station="2")
    return bench


def lead_back_to_ready(bench: Bench, station: str) -> None:
    """Badge, CANCEL if a badge is awaited, CLOSE: whatever has happened, that is the way out."""
    if bench.state.station(station).operator is None:
        assert bench.scan(BADGES["E7"], station=station).reason is None
    if bench.state.station(station).phase is Phase.ASSIGNING:
        assert bench.do("CANCEL", station=station).reason is None
    if bench.state.station(station).phase is not Phase.READY:
        assert bench.do("CLOSE", station=station).reason is None
    assert bench.state.station(station).phase is Phase.READY


def take_everything_out(bench: Bench, station: str) -> None:
    """UNDO and CANCEL alone empty an order, however its manifest has changed."""
    order = bench.state.station(station).order
    if order is None:
        return
    if bench.state.station(station).operator is None:
        bench.scan(BADGES["E7"], station=station)
    pieces = sum(len(box.entries) for box in bench.state.orders[order].boxes.values())
    for _ in range(4 * pieces + 2):
        if not bench.state.orders[order].boxes:
            break
        is_scanning = bench.state.station(station).phase is Phase.SCANNING
        assert bench.do("UNDO" if is_scanning else "CANCEL", station=station).reason is None
    found = bench.state.orders[order]
    assert not found.boxes
    assert not found.counted
    assert found.total_scanned == sum(found.elsewhere.values())


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(full=st.booleans(), day=days)
def test_whatever_happens(full: bool, day: list[Action]) -> None:
    bench = bench_at_work(full)
    for act in day:
        act(bench)
        for station in ("1", "2"):
            steady_of(bench.state, station)
            scanned, ordered = bar_of(bench.state, station)
            view = station_view(bench.state, station, bench.memories[station], "2026-11-22T17:53:01.123Z")
            if view["order"] is not None:
                assert (view["scanned"], view["scanned"] + view["pending"]) == (scanned, ordered)
    for station in ("1", "2"):
        take_everything_out(bench, station)
        lead_back_to_ready(bench, station)


@settings(max_examples=60, deadline=None)
@given(full=st.booleans(), day=days, code=st.sampled_from(SCANNABLE))
def test_bounce_never_changes_anything(full: bool, day: list[Action], code: str) -> None:
    bench = bench_at_work(full)
    for act in day[:20]:
        act(bench)
    first = bench.scan(code)
    before = bench.state
    bounced = bench.scan(code, after=0.1)
    if first.reason is not Reason.UNREADABLE:
        assert bounced in (first, AGAIN)
        assert bench.new == []
    assert bench.state == before


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=80) | st.text(max_size=40).map(str.encode), full=st.booleans())
def test_anything_at_all_gets_one_signal(data: bytes, full: bool) -> None:
    bench = bench_at_work(full)
    reply = bench.scan(data)
    assert reply.signal in (Signal.REJECT, Signal.OK)


@settings(max_examples=40, deadline=None)
@given(day=days)
def test_a_removed_held_unit_stays_out_until_it_is_released(day: list[Action]) -> None:
    bench = bench_at_work(True)
    bench.verdict("hold", "SO-1", UNITS[0], id="v9")
    bench.do("REMOVE")
    bench.scan(UNITS[0])
    assert bench.last(Released).verdict == "v9"
    for act in day:
        act(bench)
    assert all(UNITS[0] not in order.counted for order in bench.state.orders.values())
