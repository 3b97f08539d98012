"""Snapshots. The bench writes and reads one after every commit of every test, too."""

import json
from pathlib import Path

import pytest
from immutables import Map

from agent.contract.events import Unit
from agent.contract.manifest import Flow, Manifest
from agent.contract.messages import manifest_of
from agent.workflow.state import Box, Entry, Hold, Order, Phase, State, StationState
from agent.workflow.state_codec import FORMAT, decode_state, encode_state
from tests.workflow.samples import worked

WRITTEN_BEFORE = Path(__file__).parent / "data" / "state-format-1.json"
"""The state of `worked`, written by version 0.1.0 before msgspec wrote it."""

ONE_LINE = manifest_of(
    "SO-1",
    b'{"order": "SO-1", "revision": 1, "type": "pos", "status": "open", "lines":'
    b' [{"line": "1", "sku": "P13", "serialized": true, "quantity": 2}]}',
    topic="SO-1",
)


def test_snapshot_gives_the_state_back() -> None:
    """`workflow.md#restart-keeps-the-state`"""
    state = worked().state
    assert decode_state(encode_state(state), Manifest.from_source) == state


def test_snapshot_is_one_json_text_without_line_breaks() -> None:
    text = encode_state(worked().state)
    assert json.loads(text)["format"] == FORMAT
    assert b"\n" not in text


def test_snapshot_of_the_version_before_is_read_and_written_again() -> None:
    """`workflow.md#restart-keeps-the-state`: an upgrade finds the snapshot of the version before."""
    text = WRITTEN_BEFORE.read_bytes()
    state = decode_state(text, Manifest.from_source)
    assert state == worked().state
    written, read = json.loads(encode_state(state)), json.loads(text)
    for document in (written, read):  # a Map has no order
        document["orders"].sort(key=lambda order: str(order["manifest"]))
    assert written == read


def test_snapshot_leaves_out_defaults_and_keeps_the_order_of_fields() -> None:
    phone = Unit(scheme="imei", id="1", aliases=("2",))
    box = Box(
        id="3F0C9A1B000001",
        mode=Flow.USED,
        entries=(
            Entry(sequence=7, scan=6, line="1", sku="P13", unit=phone, quantity=1),
            Entry(sequence=8, scan=8, line="2", sku="größe", unit=None, quantity=5),
        ),
        label="L",
        units=1,
    )
    state = State(
        stations=Map({"1": StationState(operator="E7", phase=Phase.BOXING)}),
        orders=Map({"SO-1": Order(manifest=ONE_LINE, boxes=Map({box.id: box}), holds=Map({"v": Hold("1", None)}))}),
        journals=frozenset(("B", "A")),
    )
    assert encode_state(state).decode() == (
        '{"format":1,"stations":{"1":{"operator":"E7","phase":"boxing"}},"orders":[{"manifest":'
        + json.dumps(ONE_LINE.source)
        + ',"assigned":{},"boxes":[{"id":"3F0C9A1B000001","mode":"used","entries":'
        '[[7,6,"1","P13",["imei","1","2"],1],[8,8,"2","größe",null,5]],"label":"L","units":1}],"confirmed":[],'
        '"open_box":null,"counted":{},"scanned":{},"elsewhere":{},"elsewhere_units":[],"known":{},"holds":{"v":["1",null]},'
        '"packed":null,"forgotten":false,"first":0,"last":0}],"packed":{},"units":{},"labels":{},"verdicts":{},"barred":{},'
        '"box_number":0,"journals":["A","B"]}'
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"box_number":', b'"box_number":"7","x":'),
        (b'"phase":"scanning"', b'"phase":"flying"'),
        (b'"forgotten":', b'"weight":1,"forgotten":'),
        (b'"verdicts":{', b'"verdicts":{"v9":null,'),
    ],
)
def test_snapshot_with_anything_unknown_in_it_is_refused(before: bytes, after: bytes) -> None:
    """`faults.md#damaged-journal`"""
    text = encode_state(worked().state)
    assert before in text
    with pytest.raises(ValueError, match=r"Expected|unknown|Invalid"):
        decode_state(text.replace(before, after, 1), Manifest.from_source)


def test_snapshot_of_another_format_is_refused() -> None:
    """`faults.md#damaged-journal`"""
    text = encode_state(State()).replace(b'"format":1', b'"format":2')
    with pytest.raises(ValueError, match="format 2"):
        decode_state(text, Manifest.from_source)
