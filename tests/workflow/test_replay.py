"""From the journal back to the state. The bench replays every commit of every test, too."""

import pytest

from agent.contract.manifest import Manifest
from agent.workflow.replay import replay
from agent.workflow.state import State
from agent.workflow.state_codec import decode_state, encode_state
from tests.workflow.bench import Commit
from tests.workflow.samples import worked


def test_replay_from_nothing_and_from_any_snapshot_gives_the_state() -> None:
    """`workflow.md#restart-keeps-the-state`"""
    bench = worked()
    assert replay(State(), bench.commits) == bench.state
    for cut in range(len(bench.commits)):
        state = replay(State(), bench.commits[:cut])
        resumed = decode_state(encode_state(state), Manifest.from_source)
        assert replay(resumed, bench.commits[cut:]) == bench.state


def test_replay_refuses_events_of_a_type_it_does_not_know() -> None:
    """`faults.md#another-version`: what they mean for the state is not known."""
    bench = worked()
    last = bench.commits[-1]
    newer = last.documents[0].replace(b"kiosk.scan.selected.v1", b"kiosk.scan.weighed.v1")
    commit = Commit(journal=last.journal, position=99, sequence=99, documents=(newer,), private=b"")
    assert newer != last.documents[0]
    with pytest.raises(ValueError, match="weighed"):
        replay(bench.state, [commit])
