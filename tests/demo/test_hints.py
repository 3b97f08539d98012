"""The hints lead to packed orders, and say what the station waits for."""

import pytest

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.demo.hints import hint_of
from agent.demo.sample import ORDERS, STATION, STOLEN, shelf_of
from agent.demo.words import Leave, typed_of
from agent.workflow.state import State
from tests.demo.warehouse import Warehouse

IDS = [str(order["order"]) for order in ORDERS]
STEPS_MAX = 150
IN_A_BOX = ["badge e7", "order do-2002", "product 1", "imei 1"]


def first_word(warehouse: Warehouse) -> str:
    return hint_of(warehouse.state, STATION).words[0]


def test_following_the_first_hint_packs_every_order_without_a_refusal() -> None:
    warehouse = Warehouse()
    held = False
    for _ in range(STEPS_MAX):
        if all(order in warehouse.state.orders and not warehouse.state.orders[order].is_open for order in IDS):
            break
        words = first_word(warehouse)
        reply = warehouse.type(words)
        assert reply.reason is None, f"{words}: {reply}"
        if STOLEN in warehouse.state.units and not held:
            held = True
            warehouse.verdict("hold", "MX-4004", STOLEN)
    assert held
    assert [order for order in IDS if warehouse.state.orders[order].packed is None] == []
    assert hint_of(warehouse.state, STATION).words == ("out", "quit")
    assert typed_of("quit", shelf_of(None)) == Leave()


IMPORTED = {
    "order": "SO-4711",
    "revision": 1,
    "type": "normal",
    "status": "open",
    "lines": [
        {
            "line": "1",
            "sku": "P13",
            "flow": "used",
            "quantity": 3,
            "serialized": True,
            "units": [["356938030000147"], ["356938030000220", "356938030000238"], ["FH7XK0A2PL"]],
        },
        {"line": "2", "sku": "P14", "flow": "used", "quantity": 2, "serialized": True, "tacs": ["35391112"]},
        {"line": "3", "sku": "CASE-13", "flow": "used", "quantity": 4, "serialized": False},
    ],
}


def test_following_the_first_hint_packs_an_imported_order() -> None:
    warehouse = Warehouse()
    warehouse.put(IMPORTED)
    for words in ("badge e7", "order so-4711"):
        assert warehouse.type(words).reason is None
    for _ in range(STEPS_MAX):
        if not warehouse.state.orders["SO-4711"].is_open:
            break
        words = first_word(warehouse)
        reply = warehouse.type(words)
        assert reply.reason is None, f"{words}: {reply}"
    assert warehouse.state.orders["SO-4711"].packed is not None


def test_nobody_signed_in() -> None:
    assert first_word(Warehouse()) == "badge e7"
    assert hint_of(State(), STATION).say == "nobody is signed in: scan a badge"


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (["badge e7"], ("order so-1001", "order do-2002", "order po-3003", "order mx-4004")),
        (["badge e7", "order so-1001"], ("role pick", "role pack", "role ship", "role all")),
        (["badge e7", "order so-1001", "role ship"], ("badge e9", "cancel")),
        (["badge e7", "order so-1001", "role all"], ("badge e7", "badge e8", "cancel")),
        (["badge e7", "order do-2002"], ("product 1", "product 2")),
        (["badge e7", "order do-2002", "product 2"], ("product 1", "imei 3", "imei 4")),
        (["badge e7", "order mx-4004"], ("mode used", "mode pos")),
        (["badge e7", "order mx-4004", "mode pos", "qty 2"], ("product 2",)),
        ([*IN_A_BOX, "save"], ("box m", "box s", "box l", "label 1", "cancel")),
        ([*IN_A_BOX, "save", "box m"], ("save", "label 1", "cancel")),
        (["badge e7", "order do-2002", "remove"], ("cancel",)),
    ],
)  # fmt: skip
def test_what_can_be_scanned_next(typed: list[str], hint: tuple[str, ...]) -> None:
    warehouse = Warehouse()
    for words in typed:
        assert warehouse.type(words).signal is not Signal.REJECT
    assert hint_of(warehouse.state, STATION).words == hint


def test_a_held_unit_is_to_be_taken_out_and_stays_out() -> None:
    warehouse = Warehouse()
    for words in ("badge e7", "order mx-4004", "mode used", "imei 1"):
        warehouse.type(words)
    warehouse.verdict("hold", "MX-4004", STOLEN)
    assert hint_of(warehouse.state, STATION).say == "the centre holds imei 1: take it out"
    assert warehouse.type("remove").signal is Signal.PROMPT
    assert hint_of(warehouse.state, STATION).words == ("imei 1", "cancel")
    assert warehouse.type("imei 1").signal is Signal.REMOVED
    assert hint_of(warehouse.state, STATION).words == ("imei 2", "imei 3")
    assert warehouse.type("imei 1").reason is Reason.HELD


def test_the_one_assigned_to_packing_is_named() -> None:
    warehouse = Warehouse()
    for words in ("badge e7", "order po-3003", "serial 1", "serial 2", "imei 1", "qty 5", "product 3"):
        warehouse.type(words)
    for words in ("save", "box m", "save", "pack"):
        warehouse.type(words)
    assert hint_of(warehouse.state, STATION).words == ("badge e8", "cancel")
    warehouse.type("badge e8")
    assert hint_of(warehouse.state, STATION).words == ("confirm", "cancel")
