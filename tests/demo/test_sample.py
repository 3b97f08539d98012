"""The demo's data is valid, and no code in it means two things."""

import json

import pytest

from agent.contract.identifiers import imei_ok
from agent.contract.messages import boxes_of, manifest_of, operators_of
from agent.demo.sample import BOXES, OPERATORS, ORDERS, STOLEN, STRANGER, shelf_of
from tests.demo.warehouse import Warehouse

IDS = [str(order["order"]) for order in ORDERS]


def test_the_centre_would_retain_it() -> None:
    assert set(operators_of(json.dumps(OPERATORS).encode(), topic="operators").by_id) == {"E7", "E8", "E9"}
    assert set(boxes_of(json.dumps(BOXES).encode(), topic="boxes").by_code) == {"S", "M", "L"}
    for order in ORDERS:
        assert manifest_of(order["order"], json.dumps(order).encode(), topic="t").order == order["order"]


def test_nothing_is_ambiguous() -> None:
    assert Warehouse().catalogue.conflicts() == ()


@pytest.mark.parametrize("order", IDS)
def test_every_serialized_line_has_enough_on_the_shelf(order: str) -> None:
    shelf = shelf_of(order)
    message = next(one for one in ORDERS if one["order"] == order)
    assert len(shelf.products) == len(message["lines"])
    on_shelf = [line for _, line in (*shelf.imeis, *shelf.serials)]
    wanted = {line["line"]: line["quantity"] for line in message["lines"] if line["serialized"]}
    assert {line: on_shelf.count(line) for line in wanted if on_shelf.count(line) < wanted[line]} == {}


def test_the_stolen_phone_has_a_replacement() -> None:
    imeis = [imei for imei, _ in shelf_of("MX-4004").imeis]
    assert STOLEN in imeis
    assert len(imeis) == 3
    assert all(imei_ok(imei) for imei in (*imeis, STRANGER))
