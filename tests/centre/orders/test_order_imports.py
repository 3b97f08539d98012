"""Files of orders: taken whole or not at all, also by a centre that is killed in between."""

import json
from typing import Any

import pytest

from centre.orders import order_imports
from centre.orders.file_errors import FileRefused
from centre.orders.manifest_intake import put
from centre.orders.order_imports import ImportResult, finish_imports, import_orders, orders_in_file
from centre.store.database import Database
from centre.store.import_rows import load_imports
from centre.store.order_rows import load_orders
from tests.centre.orders.scene import NOW, manifest, published


def do_import(
    database: Database, data: str, format: order_imports.FileFormat = "csv", *, dry_run: bool = False
) -> ImportResult:
    parsed = orders_in_file(database, data.encode(), format, now=NOW)
    return import_orders(database, parsed, dry_run=dry_run, actor="command", now=NOW)


def csv_of(*rows: str) -> str:
    return "\n".join(["order,site,sku,quantity,serialized", *rows])


def test_a_file_says_what_it_does(sited: Database) -> None:
    first = csv_of("SO-1,,P13,1,no", "SO-2,rtm1,P13,1,no")
    for dry_run in (True, True, False):
        done = do_import(sited, first, dry_run=dry_run)
        assert (done.created, done.updated, done.unchanged) == (["SO-1", "SO-2"], [], [])
    done = do_import(sited, csv_of("SO-3,,P13,1,no", "SO-2,,P13,1,no", "SO-1,,P13,2,no"))
    assert (done.created, done.updated, done.unchanged) == (["SO-3"], ["SO-1"], ["SO-2"])
    assert set(published(sited, "SO-2")) == {"rtm1/order/SO-2"}
    assert published(sited, "SO-1")["ams1/order/SO-1"]["revision"] == 2


def test_a_file_is_taken_whole_or_not_at_all(sited: Database) -> None:
    with pytest.raises(FileRefused) as caught:
        do_import(sited, csv_of("SO-1,,P13,1,no", "SO-2,nowhere,P13,1,no", "SO-3,elsewhere,P13,1,no"))
    assert [(one.row, one.column, one.expected) for one in caught.value.errors] == [
        (3, "site", "one of ams1, rtm1"),
        (4, "site", "one of ams1, rtm1"),
    ]
    with sited.reading() as connection:
        assert load_orders(connection, ["SO-1"]) == {}


def test_every_fault_is_named_at_once(sited: Database) -> None:
    rows = csv_of("SO-1,nowhere,P13,1,no", "SO-1,,P13,0,no", "SO-2,elsewhere,P13,0,no")
    with pytest.raises(FileRefused) as caught:
        do_import(sited, rows)
    assert [(one.row, one.column) for one in caught.value.errors] == [
        (2, "site"), (3, "quantity"), (4, "quantity"), (4, "site"),
    ]  # fmt: skip

    do_import(sited, json.dumps([manifest(order="SO-9", revision=4)]), "json")
    orders = [manifest(order="SO-9", revision=3), manifest(order="SO-1", site="nowhere", lines=3)]
    with pytest.raises(FileRefused) as caught:
        do_import(sited, json.dumps(orders), "json")
    assert [(one.row, one.column) for one in caught.value.errors] == [(1, "revision"), (2, "lines"), (2, "site")]


@pytest.mark.parametrize("form", ["list", "object", "lines"])
def test_json(sited: Database, form: str) -> None:
    orders = [manifest(order="SO-1", revision=4), manifest(order="SO-2", site="rtm1")]
    text = {
        "list": json.dumps(orders),
        "object": json.dumps({"orders": orders}, indent=2),
        "lines": "\n".join(map(json.dumps, orders)),
    }[form]
    assert do_import(sited, text, "json").created == ["SO-1", "SO-2"]
    assert do_import(sited, text, "json").unchanged == ["SO-1", "SO-2"]
    assert published(sited, "SO-1")["rtm1/order/SO-1"]["revision"] == 4
    assert "site" not in published(sited, "SO-2")["rtm1/order/SO-2"]


@pytest.mark.parametrize(
    ("orders", "row", "column"),
    [
        ([manifest(), manifest()], 2, "order"),
        ([manifest(), {"order": "SO-2"}], 2, "lines"),
        ([manifest(lines=[{"line": "1"}])], 1, "lines.0.sku"),
        ([7], 1, "order"),
        ([manifest(site=3)], 1, "site"),
        ("x", 0, ""),
        ([manifest(revision=1, barcodes=["X"])], 1, "revision"),
    ],
)
def test_wrong_json_is_named(sited: Database, orders: Any, row: int, column: str) -> None:
    with sited.writing() as connection:
        put(connection, "SO-1", manifest(), site=None, actor="token:oms", now=NOW)
    with pytest.raises(FileRefused) as caught:
        do_import(sited, json.dumps(orders), "json")
    assert (row, column) in [(one.row, one.column) for one in caught.value.errors]


def test_an_import_goes_on_after_a_kill(sited: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"SO-{number},,P13,1,no" for number in range(120)]
    names = [f"SO-{number}" for number in range(120)]

    def killed() -> None:
        raise KeyboardInterrupt

    parsed = orders_in_file(sited, csv_of(*rows).encode(), "csv", now=NOW)
    with pytest.raises(KeyboardInterrupt):
        import_orders(sited, parsed, dry_run=False, actor="command", now=NOW, tell=killed)
    with sited.writing() as connection:
        assert len(load_orders(connection, names)) == order_imports.CHUNK
        put(connection, "SO-60", manifest(order="SO-60", revision=9), site=None, actor="token:oms", now=NOW)
    assert finish_imports(sited, NOW) == 1
    assert finish_imports(sited, NOW) == 0
    with sited.reading() as connection:
        found = load_orders(connection, names)
        assert len(found) == 120
        assert {row.revision for name, row in found.items() if name != "SO-60"} == {1}
        assert (found["SO-60"].revision or 0) >= 9
        assert load_imports(connection) == []
