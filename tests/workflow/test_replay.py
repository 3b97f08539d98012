"""From the journal back to the state. The bench replays every commit of every test, too."""

from agent.contract.manifest import Manifest
from agent.workflow.replay import replay
from agent.workflow.state import State
from agent.workflow.state_codec import decode_state, encode_state
from tests.workflow.bench import Bench, Commit, imei, line


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


def test_replay_from_nothing_and_from_any_snapshot_gives_the_state() -> None:
    """`workflow.md#restart-keeps-the-state`"""
    bench = worked()
    assert replay(State(), bench.commits) == bench.state
    for cut in range(len(bench.commits)):
        state = replay(State(), bench.commits[:cut])
        resumed = decode_state(encode_state(state), Manifest.from_source)
        assert replay(resumed, bench.commits[cut:]) == bench.state


def test_replay_passes_over_events_of_a_type_it_does_not_know() -> None:
    """`workflow.md#restart-keeps-the-state`"""
    bench = worked()
    last = bench.commits[-1]
    newer = last.documents[0].replace(b"kiosk.scan.selected.v1", b"kiosk.scan.weighed.v1")
    commit = Commit(journal=last.journal, position=99, sequence=99, documents=(newer,), private=b"")
    assert newer != last.documents[0]
    assert replay(bench.state, [commit]) == bench.state
