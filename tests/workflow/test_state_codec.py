"""Snapshots. The bench writes and reads one after every commit of every test, too."""

import json

import pytest

from agent.contract.manifest import Manifest
from agent.workflow.state import State
from agent.workflow.state_codec import FORMAT, decode_state, encode_state
from tests.workflow.bench import Bench, imei, line


def worked() -> Bench:
    """A bench that has seen boxes of all kinds, roles, a hold, a pending step, a packed order, a second journal."""
    bench = Bench()
    bench.order("SO-1", line("1", "P13", 2, units=[[imei(1), "serial-A"]], tacs=["35000000"]))
    bench.order("SO-2", line("1", "P13", 1))
    bench.opened("SO-2")
    bench.scan(imei(9))
    bench.save()
    bench.do("PACK")
    bench.do("CONFIRM")
    bench.opened("SO-1")
    bench.do("ROLE", "PACK")
    bench.scan("CARD-8")
    bench.scan(imei(1))
    bench.do("SAVE")
    bench.scan("106141412345678908")
    bench.do("SAVE")
    bench.start_over("AAAAAAAA")
    bench.scan(imei(2))
    bench.verdict("hold", "SO-1", imei(2))
    bench.do("REMOVE")
    bench.scan(imei(2))
    bench.verdict("hold", "SO-1", imei(1), id="v2")
    bench.do("QTY", "3")
    return bench


def test_snapshot_gives_the_state_back() -> None:
    """`workflow.md#restart-keeps-the-state`"""
    state = worked().state
    assert decode_state(encode_state(state), Manifest.from_source) == state


def test_snapshot_is_one_json_text_without_line_breaks() -> None:
    text = encode_state(worked().state)
    assert json.loads(text)["format"] == FORMAT
    assert b"\n" not in text


def test_snapshot_of_another_format_is_refused() -> None:
    """`faults.md#damaged-journal`"""
    text = encode_state(State()).replace(b'"format":1', b'"format":2')
    with pytest.raises(ValueError, match="format 2"):
        decode_state(text, Manifest.from_source)
