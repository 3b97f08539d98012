"""`kiosk-agent journal` (`commands.md#journal`)."""

import io
import json
from pathlib import Path

import pytest

from agent.commands.journal import export, tail, verify
from agent.exit_codes import ExitCode
from agent.journal import Journal

SEGMENT = 4096


def event(number: int, code: str = "490154203237518") -> bytes:
    doc = {
        "time": "2026-11-22T17:53:01.123Z",
        "type": "kiosk.scan.accepted.v1",
        "subject": "SO/ÄÖ-1",
        "station": "1",
        "data": {"code": code, "line": str(number), "unit": {"scheme": "imei", "id": code, "aliases": []}},
    }
    return json.dumps(doc, ensure_ascii=False).encode()


def journal_of(state_dir: Path) -> Journal:
    ids = iter(("0000000A", "0000000B"))
    return Journal.open(state_dir / "journal", new_id=lambda: next(ids), segment_bytes=SEGMENT)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    with journal_of(tmp_path) as journal:
        for i in range(1, 41):
            if i == 31:
                journal.start_over()
            journal.commit([event(i)])
        journal.prepare()
    return tmp_path


def damage(state_dir: Path) -> None:
    path = state_dir / "journal" / "0000000002.seg"
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(content)


def test_export_writes_the_exact_documents(state_dir: Path) -> None:
    """Rule: commands.md#journal."""
    out, err = io.StringIO(), io.StringIO()
    assert export(state_dir, out, err=err) == ExitCode.OK
    assert out.getvalue().encode() == b"".join(event(i) + b"\n" for i in range(1, 41))
    assert err.getvalue() == ""


@pytest.mark.parametrize(
    ("first", "through", "numbers"),
    [
        ("3", None, range(33, 41)),
        (None, "000000000002", range(1, 33)),
        ("0000000A-000000000029", "0000000B-000000000001", range(29, 32)),
        ("0000000A-000000000030-7d1e40aa", "0000000A-000000000030-7d1e40aa", range(30, 31)),
    ],
)
def test_export_from_and_through(state_dir: Path, first: str | None, through: str | None, numbers: range) -> None:
    out = io.StringIO()
    assert export(state_dir, out, first=first, through=through) == ExitCode.OK
    assert [int(json.loads(line)["data"]["line"]) for line in out.getvalue().splitlines()] == list(numbers)


@pytest.mark.parametrize("text", ["x", "", "-1", "0000000C-1", "٣", "1\x1b[2J"])
def test_export_refuses_what_names_no_event(state_dir: Path, text: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    assert export(state_dir, out, through=text, err=err) == ExitCode.USAGE
    assert out.getvalue() == ""
    assert err.getvalue().startswith("--through ")
    assert "\x1b" not in err.getvalue()


def test_export_of_a_damaged_journal_saves_the_rest(state_dir: Path) -> None:
    """Rules: commands.md#journal, faults.md#damaged-journal."""
    damage(state_dir)
    out, err = io.StringIO(), io.StringIO()
    assert export(state_dir, out, err=err) == ExitCode.DAMAGED
    assert len(out.getvalue().splitlines()) == 39
    assert "0000000002.seg: at byte " in err.getvalue()


def test_verify_whole(state_dir: Path) -> None:
    out = io.StringIO()
    assert verify(state_dir, out) == ExitCode.OK
    assert out.getvalue() == "40 sound events, 0000000A-000000000001 to 0000000B-000000000010; 0 damaged places\n"


def test_verify_damaged(state_dir: Path) -> None:
    """Rules: commands.md#journal, faults.md#damaged-journal."""
    damage(state_dir)
    out = io.StringIO()
    assert verify(state_dir, out) == ExitCode.DAMAGED
    place, summary = out.getvalue().splitlines()
    assert "0000000002.seg: at byte " in place
    assert summary.startswith("39 sound events")
    assert summary.endswith("1 damaged places")


def test_verify_while_the_journal_is_open(state_dir: Path) -> None:
    """Rule: commands.md#journal."""
    with journal_of(state_dir) as journal:
        journal.commit([event(41)])
        assert verify(state_dir, io.StringIO()) == ExitCode.OK
        assert journal.commit([event(42)]).position == 42


@pytest.mark.parametrize("count", [0, 1, 12, 40, 99])
def test_tail_shows_the_last_events(state_dir: Path, count: int) -> None:
    """Rule: commands.md#journal."""
    out = io.StringIO()
    assert tail(state_dir, out, count=count) == ExitCode.OK
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == [
        f"0000000A-{i:012d}" if i <= 30 else f"0000000B-{i - 30:012d}" for i in range(1, 41)
    ][40 - min(count, 40) :]


def test_tail_line_is_for_people(state_dir: Path) -> None:
    out = io.StringIO()
    tail(state_dir, out, count=1)
    assert " ".join(out.getvalue().split()) == (
        "0000000B-000000000010 2026-11-22T17:53:01.123Z scan.accepted station 1 operator - order SO/ÄÖ-1"
        " line=40 unit=490154203237518 code=490154203237518"
    )


@pytest.mark.parametrize("code", ["\x1b[2J", "a\nb", "\x7f", "\x9b0m", "\u202egnp.exe", "\u2028", "\x00"])
def test_tail_escapes_what_a_terminal_would_obey(tmp_path: Path, code: str) -> None:
    """Rule: scanning.md#control-characters."""
    with journal_of(tmp_path) as journal:
        journal.commit([event(1, code)])
        journal.commit([b"no JSON " + code.replace("\n", "\r").encode()])
    out = io.StringIO()
    assert tail(tmp_path, out) == ExitCode.OK
    assert out.getvalue().count("\n") == 2
    assert out.getvalue().replace("\n", "").isprintable()


def test_tail_of_a_damaged_journal_tells_so(state_dir: Path) -> None:
    damage(state_dir)
    out, err = io.StringIO(), io.StringIO()
    assert tail(state_dir, out, count=40, err=err) == ExitCode.DAMAGED
    assert "0000000002.seg" in err.getvalue()
    assert len(out.getvalue().splitlines()) == 39


def test_tail_follows_until_interrupted(state_dir: Path) -> None:
    out = io.StringIO()
    with journal_of(state_dir) as journal:
        numbers = iter(range(41, 80))

        def wait() -> None:
            number = next(numbers, None)
            if number is None:
                raise KeyboardInterrupt
            journal.commit([event(number)])
            if number % 3 == 0:
                journal.prepare()

        assert tail(state_dir, out, count=2, follow=True, wait=wait) == ExitCode.OK
    shown = [line.split(" line=")[1].split()[0] for line in out.getvalue().splitlines()]
    # What was committed before the last wait.
    assert shown == [str(i) for i in range(39, 80)]


@pytest.mark.parametrize("command", [tail, export, verify])
def test_without_a_journal(tmp_path: Path, command: object) -> None:
    err = io.StringIO()
    assert callable(command)
    assert command(tmp_path, io.StringIO(), err=err) == ExitCode.REFUSED
    assert "cannot be read" in err.getvalue()
    (tmp_path / "journal").mkdir()
    assert command(tmp_path, io.StringIO(), err=err) == ExitCode.REFUSED
    assert "holds no journal" in err.getvalue()
