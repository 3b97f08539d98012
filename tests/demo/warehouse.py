"""The demo's orders at a station in memory, scanned with the demo's words."""

import json
from collections.abc import Mapping
from typing import Any

from agent.contract.messages import manifest_of
from agent.demo.sample import OPERATORS, ORDERS, STATION, shelf_of_manifest
from agent.demo.words import Scan, typed_of
from agent.workflow.reply import Reply
from tests.workflow.bench import Bench

__all__ = ["Warehouse"]


class Warehouse(Bench):
    def __init__(self) -> None:
        super().__init__(operators=False)
        self.operators(*OPERATORS["items"])
        for order in ORDERS:
            self.put(order)

    def put(self, order: Mapping[str, Any]) -> None:
        """Publish an order to the station."""
        name = order["order"]
        self.catalogue.put_manifest(manifest_of(name, json.dumps(order).encode(), topic=name))

    def type(self, words: str) -> Reply:
        """Scan what the words mean, and return the reply."""
        order = self.state.station(STATION).order
        shelf = shelf_of_manifest(None if order is None else self.state.orders[order].manifest)
        typed = typed_of(words, shelf)
        assert isinstance(typed, Scan), f"{words}: {typed}"
        return self.scan(typed.code, station=STATION)
