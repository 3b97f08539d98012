"""Manifests on their way in: revisions, conflicts, what stays as it is."""

import json
from typing import Any

import pytest

from centre.orders.manifest_check import ManifestRefused
from centre.orders.manifest_intake import RevisionConflict, put
from centre.store.database import Database
from centre.store.order_rows import load_orders
from tests.centre.orders.scene import NOW, manifest, published


@pytest.fixture(autouse=True)
def _sites(sited: Database) -> None:
    """Every test has two sites."""


def do_put(database: Database, document: Any, order: str = "SO-1", site: str | None = None) -> tuple[str, int]:
    with database.writing() as connection:
        done = put(connection, order, document, site=site, actor="token:oms", now=NOW)
    return done.outcome, done.revision


def test_a_new_order_is_published_at_every_site(database: Database) -> None:
    assert do_put(database, manifest()) == ("created", 1)
    expected = manifest(revision=1)
    assert published(database) == {"ams1/order/SO-1": expected, "rtm1/order/SO-1": expected}


def test_equal_content_is_no_new_revision(database: Database) -> None:
    do_put(database, manifest())
    assert do_put(database, json.dumps(manifest(name=None), indent=3).encode()) == ("unchanged", 1)
    assert do_put(database, manifest(revision=1)) == ("unchanged", 1)
    assert do_put(database, manifest(barcodes=["X"])) == ("changed", 2)


def test_a_revision_never_goes_back(database: Database) -> None:
    assert do_put(database, manifest(revision=7)) == ("created", 7)
    for revision in (6, 7):
        with pytest.raises(RevisionConflict):
            do_put(database, manifest(revision=revision, barcodes=["X"]))
    assert do_put(database, manifest(barcodes=["X"])) == ("changed", 8)
    assert do_put(database, manifest(barcodes=["X"], revision=12)) == ("changed", 12)


def test_an_order_can_move_to_one_site(database: Database) -> None:
    do_put(database, manifest())
    assert do_put(database, manifest(), site="rtm1") == ("changed", 2)
    assert published(database) == {"ams1/order/SO-1": None, "rtm1/order/SO-1": manifest(revision=2)}


def test_a_cancelled_manifest_becomes_a_tombstone(database: Database) -> None:
    do_put(database, manifest(barcodes=["X"]))
    assert do_put(database, {"status": "cancelled", "revision": 9}) == ("changed", 9)
    tombstone = {"order": "SO-1", "revision": 9, "status": "cancelled", "barcodes": ["X"]}
    assert published(database)["rtm1/order/SO-1"] == tombstone
    with database.reading() as connection:
        (row,) = load_orders(connection, ["SO-1"]).values()
        assert row.status == "cancelled"
        assert json.loads(row.manifest or "")["lines"]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (b"[1]", "message"),
        (b"{", "message"),
        (manifest(order="SO-2"), "order"),
        (manifest({"line": "1"}), "lines.0.sku"),
        (manifest(barcodes=["x" * 65]), "barcodes.0"),
        (manifest(note="a\0b"), "note"),
        (manifest(note=["\ud800"]), "note.0"),
        (manifest(note="x" * 300_000), "message"),
        (manifest(reopen=5, revision=4), "reopen"),
        (manifest(reopen=5), "reopen"),
        (manifest(status="withdrawn"), "status"),
    ],
)
def test_what_no_kiosk_takes_is_refused(database: Database, document: Any, path: str) -> None:
    with pytest.raises(ManifestRefused) as caught:
        do_put(database, document)
    assert path in [field.path for field in caught.value.fields]
    assert published(database) == {}


def test_an_unknown_site_is_refused(database: Database) -> None:
    with pytest.raises(ManifestRefused, match="ams1, rtm1"):
        do_put(database, manifest(), site="nowhere")
