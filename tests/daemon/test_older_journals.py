"""Journals of earlier versions open, fold to the state that their own program had, and go on.

`tests/journal/data/written-by-VERSION` was written by that version's daemon, with every type of event, a snapshot, and
commits after it: `.tar.xz` is its journal, `.jsonl` what its `journal export` wrote, `.json` its state in the format of
the snapshot. How to add one: docs/how-to/change-the-journal-format.md.
"""

import json
import tarfile
from io import StringIO
from pathlib import Path

import pytest

from agent.commands.journal import export, verify
from agent.contract.events import EVENTS, Cause, SignedIn
from agent.contract.manifest import Manifest
from agent.daemon.ledger import Ledger, open_state
from agent.journal import Journal
from agent.runtime.clock import FakeClock
from agent.workflow.state_codec import decode_state

DATA = Path(__file__).parents[1] / "journal" / "data"
VERSIONS = sorted(path.name.removeprefix("written-by-").removesuffix(".tar.xz") for path in DATA.glob("*.tar.xz"))


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def state_dir(tmp_path: Path, version: str) -> Path:
    """A state directory with that version's journal."""
    (tmp_path / "journal").mkdir()
    with tarfile.open(DATA / f"written-by-{version}.tar.xz") as archive:
        archive.extractall(tmp_path / "journal", filter="data")
    return tmp_path


def test_the_first_version_had_every_event_type_but_later_ones() -> None:
    lines = (DATA / "written-by-0.1.0.jsonl").read_text("utf-8").splitlines()
    kinds = {json.loads(line)["type"].removeprefix("kiosk.").removesuffix(".v1") for line in lines}
    assert len(kinds) == 24
    assert kinds <= EVENTS.keys()


def test_an_older_journal_folds_to_the_state_that_it_had(state_dir: Path, version: str) -> None:
    """`faults.md#another-version`, `workflow.md#restart-keeps-the-state`"""
    expected = decode_state((DATA / f"written-by-{version}.json").read_bytes(), Manifest.from_source)
    opened = open_state(state_dir / "journal")
    opened.journal.close()
    assert opened.state == expected
    assert opened.state.orders


def test_an_older_journal_goes_on_and_opens_again(state_dir: Path) -> None:
    """`faults.md#another-version`"""
    directory = state_dir / "journal"
    ledger = Ledger(
        open_journal=lambda: open_state(directory),
        source="/kiosk/rtm1/dock-3",
        clock=FakeClock(),
        is_starved=lambda _: False,
    )
    with ledger:
        assert ledger.journal is not None
        last = ledger.journal.last_position
        assert ledger.write((SignedIn(station="1", operator="E7", cause=Cause.BADGE),))
    with Journal.open(directory) as journal:
        assert journal.last_position == last + 1
    assert verify(state_dir, StringIO()) == 0


def test_an_older_journal_is_exported_byte_for_byte(state_dir: Path, version: str) -> None:
    """`commands.md#journal`"""
    written = StringIO(newline="")
    assert export(state_dir, written) == 0
    assert written.getvalue().encode() == (DATA / f"written-by-{version}.jsonl").read_bytes()
