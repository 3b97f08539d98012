"""`kiosk-agent sheet` (`commands.md#sheet`): the file as a printer gets it."""

import io
from pathlib import Path

import pytest

from agent.catalogue.cache import Cache, StoredReference
from agent.commands.sheet import NotWritten, sheet
from agent.contract.printed_codes import Command, Verb, is_our_badge, parse_command
from agent.drivers.scanners.learning import TEST_TEXT
from agent.errors import CacheDamaged
from agent.sheet.pdf import QUIET, WIDTH_PT
from tests.sheet.drawn import Page, decoded, pages

BOXES = '{"revision":1,"items":[{"code":"M","length_mm":300,"width_mm":200,"height_mm":150}]}'
PEOPLE = '{"revision":4,"items":[{"operator":"E7","name":"Zoë (left)","badges":["ZBTOKENOFE70","K\\u00e4rtchen"]}]}'
SALTED = '{"revision":4,"salt":"s","items":[{"operator":"E7","badges":["' + "a" * 64 + '"]}]}'


def kiosk(directory: Path, **references: str) -> Path:
    cache = Cache(directory / "cache")
    cache.add(StoredReference(name=name, source=text) for name, text in references.items())
    cache.save_all()
    return directory


def printed(directory: Path, *, new_badges: int = 0, state_dir: Path | None = None) -> tuple[list[Page], list[str]]:
    """The pages of the file, and what was said."""
    out = io.StringIO()
    assert sheet(directory / "out.pdf", state_dir, out, new_badges=new_badges) == 0
    return pages((directory / "out.pdf").read_bytes()), out.getvalue().splitlines()


def codes(found: list[Page]) -> list[str]:
    return [code for page in found for code in page.lines(7)]


def test_every_command_is_there_and_is_one(tmp_path: Path) -> None:
    found, _ = printed(tmp_path, state_dir=kiosk(tmp_path, boxes=BOXES))
    commands = [command for text in codes(found) if isinstance(command := parse_command(text), Command)]
    assert {command.verb for command in commands} == set(Verb)
    assert [command.argument for command in commands if command.verb is Verb.BOX] == ["M"]
    assert TEST_TEXT in codes(found)


def test_what_is_drawn_is_what_is_written_under_it(tmp_path: Path) -> None:
    found, _ = printed(tmp_path, new_badges=2, state_dir=kiosk(tmp_path, boxes=BOXES, operators=PEOPLE))
    for page in found:
        assert [decoded(one)[0] for one in page.barcodes] == page.lines(7)
        for one in page.barcodes:
            _, module_pt = decoded(one)
            assert module_pt > 0.19 * 72 / 25.4, "a narrower bar is not read by every scanner"
            assert one.x >= QUIET * module_pt
            assert one.x + sum(one.widths) + QUIET * module_pt <= WIDTH_PT


def test_listed_badges_are_on_a_page_of_their_own(tmp_path: Path) -> None:
    found, said = printed(tmp_path, state_dir=kiosk(tmp_path, boxes=BOXES, operators=PEOPLE))
    assert said == []
    assert found[-1].lines(7) == ["ZBTOKENOFE70"], "what no Code 128 holds is left out"
    assert r"Zoë \(left\)" in found[-1].lines(11)


def test_badges_known_by_their_hashes_cannot_be_printed(tmp_path: Path) -> None:
    found, said = printed(tmp_path, state_dir=kiosk(tmp_path, operators=SALTED))
    assert "a" * 64 not in "".join(text.text for page in found for text in page.texts)
    assert [line.split(":")[0] for line in said] == ["note    no box sizes", "note    no badges of the operators list"]


def test_new_badges_are_told_for_the_operators_list(tmp_path: Path) -> None:
    found, said = printed(tmp_path, new_badges=3)
    badges = [line.split()[1] for line in said if line.startswith("badge")]
    assert len(set(badges)) == 3
    assert all(map(is_our_badge, badges))
    assert codes(found)[-3:] == badges


def test_nobody_else_may_read_the_badges(tmp_path: Path) -> None:
    printed(tmp_path)
    assert (tmp_path / "out.pdf").stat().st_mode & 0o077 == 0


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match="cannot be written: Is a directory"):
        sheet(tmp_path, None, io.StringIO())


def test_damaged_cache_is_told_and_left_to_the_daemon(tmp_path: Path) -> None:
    file = kiosk(tmp_path, boxes=BOXES) / "cache" / "reference.db"
    file.write_bytes(file.read_bytes()[:-3])
    unfinished = file.with_suffix(".db.tmp")
    unfinished.touch()
    with pytest.raises(CacheDamaged):
        sheet(tmp_path / "out.pdf", tmp_path, io.StringIO())
    assert sorted(path.name for path in file.parent.iterdir()) == [file.name, unfinished.name]
