"""Whatever happens to an order, in whatever order: what kiosks get of it never goes back."""

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from centre.orders.adoption import adopt
from centre.orders.manifest_check import ManifestRefused
from centre.orders.manifest_intake import RevisionConflict, put
from centre.orders.order_lifecycle import OrderNotKnown, OrderNotReopened, cancel, reopen, withdraw
from centre.orders.order_topics import order_topic
from centre.orders.tombstones import clear_tombstones
from centre.store.database import Database
from centre.store.message_rows import messages_of_orders
from centre.store.order_rows import load_orders
from centre.store.schema import metadata
from centre.store.site_rows import add_sites
from tests.centre.orders.scene import NOW, manifest, set_order

REFUSALS = (ManifestRefused, RevisionConflict, OrderNotKnown, OrderNotReopened)

_numbers = count()

_content = st.fixed_dictionaries(
    {},
    optional={
        "barcodes": st.lists(st.sampled_from("ABC"), max_size=2),
        "status": st.sampled_from(["open", "packed", "cancelled"]),
        "revision": st.integers(0, 12),
        "reopen": st.integers(0, 12),
    },
)
_steps = st.lists(
    st.tuples(st.sampled_from(["put", "found"]), _content)
    | st.tuples(st.sampled_from(["cancel", "withdraw", "reopen", "packed", "opened", "late", "cleared"]), st.just({})),
    max_size=12,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all examples, each of which has an order of its own."""
    path: Path = tmp_path_factory.mktemp("revisions") / "centre.sqlite"
    database = Database(f"sqlite:///{path}")
    with database.writing() as connection:
        metadata.create_all(connection)
        add_sites(connection, ["rtm1"], NOW)
    yield database
    database.dispose()


def step(connection: Connection, name: str, kind: str, content: dict[str, Any]) -> None:
    by = {"actor": "user:ann", "now": NOW}
    if kind == "put":
        put(connection, name, {**manifest(order=name), **content}, site=None, **by)
    elif kind == "found":
        payload = json.dumps({"revision": 1, **manifest(order=name), **content}).encode()
        adopt(connection, "broker:1883", {order_topic("rtm1", name): payload}, NOW)
    elif kind == "late":
        adopt(connection, "broker:1883", {order_topic("rtm1", name): b""}, NOW)
    elif kind == "packed" and name in load_orders(connection, [name]):
        set_order(connection, name, status="packed", packed_at=NOW)
    elif kind == "opened" and name in load_orders(connection, [name]):
        set_order(connection, name, opened_at=NOW)
    elif kind == "cleared":
        clear_tombstones(connection, "2099-01-01T00:00:00.000Z")
    elif kind in ("cancel", "withdraw", "reopen"):
        {"cancel": cancel, "withdraw": withdraw, "reopen": reopen}[kind](connection, name, **by)


@settings(max_examples=60, deadline=None)
@given(steps=_steps)
@example(steps=[("found", {"reopen": 2}), ("withdraw", {}), ("found", {})])
def test_nothing_goes_back(shared: Database, steps: list[tuple[str, dict[str, Any]]]) -> None:
    name = f"SO-{next(_numbers)}"
    sent: dict[str, Any] | None = None
    highest, version, changed = -1, 0, 0
    for kind, content in steps:
        with (
            suppress(ManifestRefused, RevisionConflict, OrderNotKnown, OrderNotReopened),
            shared.writing() as connection,
        ):
            step(connection, name, kind, content)
        with shared.reading() as connection:
            row = load_orders(connection, [name]).get(name)
            messages = messages_of_orders(connection, [name])[name]
        payload = next((one.payload for one in messages if "/order/" in one.topic), b"")
        message = json.loads(payload) if payload else None
        if row is None:
            assert message is None
            continue
        assert (row.version, row.changed) >= (version, changed)
        version, changed = row.version, row.changed
        if row.source == "centre":
            assert (row.revision or 0) >= highest
            highest = row.revision or 0
        if message is not None:
            assert message["revision"] == row.revision
            assert (message["status"] != "open") == row.is_closed
            if sent is not None and message != sent:
                assert message["revision"] > sent["revision"], (sent, message)
        if message is not None:
            sent = message
