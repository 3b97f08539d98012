"""Manifests: how codes are compared (`scanning.md#comparing-codes`), and the text that cache and journal keep."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.manifest import CountedElsewhere, Manifest, Status, all_in_same_case, same_case
from tests.contract.samples import manifest

# -- comparing codes ---------------------------------------------------------------------------------------------


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_form_of_a_form_is_the_same(code: str) -> None:
    assert same_case(same_case(code)) == same_case(code)


@pytest.mark.parametrize("code", ["ZK\u017fAVE", "\u212aA-1", "\ufb01", "\u00df", "\u017fO-1001", "\uff21", "\u0131"])
def test_no_other_letter_passes_for_a_plain_one(code: str) -> None:
    assert not same_case(code).isascii()


@given(st.lists(st.text() | st.text("aB1\n-")))
def test_all_at_once_have_the_form_of_each(codes: list[str]) -> None:
    assert all_in_same_case(codes) == [same_case(code) for code in codes]


def test_case_does_not_matter() -> None:
    assert same_case("so-1001") == same_case("SO-1001")
    assert same_case("caf\u00e9") == same_case("CAF\u00c9")


# -- the stored text ---------------------------------------------------------------------------------------------

# As the first release wrote them, byte for byte: journals and caches in the field are full of these.
FULL = (
    '{"order":"SO-1001","revision":3,"type":"normal","status":"open","lines":[{"line":"1","sku":"P13-128-BLK","flow":'
    '"used","serialized":true,"quantity":10,"name":"Phone 13 128 GB black","gtins":["09506000134352"],"tacs":'
    '["35000000","49015420"],"units":[["490154203237518","490154203237526"],["SNabc1"]],"serial_length":[8,12]},'
    '{"line":"2","sku":"CASE-13","flow":"used","serialized":false,"quantity":2}],"barcodes":["Ünit","x"],"operators":'
    '{"picking":"E7","packing":"E8","shipping":"E9"},"counted":[{"line":"1","quantity":2,"units":["a","b"],"box":"B1"},'
    '{"line":"2","quantity":1,"units":[],"box":"B2"}],"reopen":3}'
)
BARE = '{"order":"SO-1001","revision":3,"type":"normal","status":"open","lines":[]}'
TOMBSTONE = '{"order":"SO-1001","revision":3,"type":"normal","status":"withdrawn","lines":[],"barcodes":["Ünit","x"]}'
COUNTED: list[dict[str, Any]] = [
    {"line": "1", "quantity": 2, "box": "B1", "units": ["a", "b"]},
    {"line": "2", "quantity": 1, "box": "B2"},
]


def full() -> Manifest:
    return manifest(barcodes=["Ünit", "x"], reopen=3, counted=COUNTED, lines=json.loads(FULL)["lines"])


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (FULL, full()),
        (BARE, manifest(lines=[], operators=None, counted=None)),
        (TOMBSTONE, full().tombstone()),
    ],
    ids=["full", "bare", "tombstone"],
)
def test_text_of_the_first_release_is_read_and_still_written(text: str, read: Manifest) -> None:
    assert Manifest.from_source(text) == Manifest.from_source(text.encode()) == read
    assert read.source == text
    assert Manifest.from_source(text).source == text


def test_reopen_was_a_flag_once_and_is_read_as_the_revision() -> None:
    """Rule: workflow.md#packed-orders-stay-closed."""
    text = FULL.replace('"reopen":3', '"reopen":true')
    read = Manifest.from_source(text)
    assert read == full()
    assert read.reopen == 3
    assert read.source == text


@pytest.mark.parametrize("status", ["packed", "cancelled"])
def test_a_manifest_that_closes_without_lines_keeps_those_that_are_known(status: str) -> None:
    """Rule: workflow.md#closed-while-open."""
    known = full()
    closing = manifest(revision=9, status=status, type=None, lines=None, barcodes=None, operators=None, counted=None)
    closed = closing.closing(known)
    assert (closed.revision, closed.status) == (9, Status(status))
    assert (closed.lines, closed.barcodes, closed.operators) == (known.lines, known.barcodes, known.operators)
    assert closing.closing(None) == closing
    assert manifest(lines=[]).closing(known).lines == ()


def test_text_in_another_order_with_more_fields_is_read_and_kept_as_it_is() -> None:
    document = {"note": [None], **dict(reversed(json.loads(FULL).items()))}
    text = json.dumps(document)
    read = Manifest.from_source(text)
    assert read == full()
    assert read.source == text


def test_entry_counted_elsewhere_may_leave_its_units_out() -> None:
    text = BARE.replace('"lines":[]', '"lines":[],"counted":[{"line":"2","quantity":1,"box":"B"}]')
    assert Manifest.from_source(text).counted == (CountedElsewhere(line="2", quantity=1, box="B"),)


def test_withdrawn_manifest_keeps_all_but_its_status() -> None:
    gone = manifest(barcodes=["X"], reopen=2).withdrawn()
    assert gone.status is Status.WITHDRAWN
    assert gone.lines == manifest().lines
    assert Manifest.from_source(gone.source) == gone
    assert Manifest.from_source(gone.source.encode()) == gone


def test_tombstone_keeps_only_what_opens_the_order() -> None:
    stone = manifest(barcodes=["X"]).tombstone()
    assert (stone.order, stone.revision, stone.status, stone.barcodes) == ("SO-1001", 3, Status.WITHDRAWN, ("X",))
    assert (stone.lines, stone.counted) == ((), ())
    assert Manifest.from_source(stone.source) == stone


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"order":"A"}',
        manifest().source[:-1],
        manifest().source.replace('"open"', '"ajar"'),
        manifest().source.replace('"revision":3', '"revision":"3"'),
        '{"deep":' + "[" * 50_000,
        b"\xff",
        BARE.encode().replace(b"SO", b"\xff"),
    ],
    ids=lambda text: repr(text[:16]),
)
def test_what_is_no_source_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="a stored manifest cannot be read"):
        Manifest.from_source(text)
