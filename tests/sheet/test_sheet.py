"""The sheet as a printer gets it: its barcodes are read back from the file's own drawing."""

import io
import re
from itertools import pairwise
from pathlib import Path

import pytest

from agent.catalogue.cache import Cache, StoredReference
from agent.commands.sheet import NotWritten, sheet
from agent.contract.printed_codes import Command, Verb, is_our_badge, parse_command
from agent.drivers.scanners.learning import TEST_TEXT
from agent.errors import CacheDamaged
from agent.sheet.code128 import QUIET, widths
from agent.sheet.layout import Card, Section, pages_of
from agent.sheet.pdf import HEIGHT_PT, WIDTH_PT, Page, document

BOXES = '{"revision":1,"items":[{"code":"M","length_mm":300,"width_mm":200,"height_mm":150}]}'
PEOPLE = '{"revision":4,"items":[{"operator":"E7","name":"Zoë (left)","badges":["ZBTOKENOFE70","K\\u00e4rtchen"]}]}'
SALTED = '{"revision":4,"salt":"s","items":[{"operator":"E7","badges":["' + "a" * 64 + '"]}]}'

_BAR = re.compile(rb"([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re f")
_TEXT = re.compile(rb"BT /F([12]) (\d+) Tf [\d.]+ [\d.]+ Td \((.*)\) Tj ET")


def kiosk(directory: Path, **references: str) -> Path:
    cache = Cache(directory / "cache")
    cache.add(StoredReference(name=name, source=text) for name, text in references.items())
    cache.save_all()
    return directory


def printed(directory: Path, *, new_badges: int = 0, state_dir: Path | None = None) -> tuple[bytes, list[str]]:
    """The file, and what was said."""
    out = io.StringIO()
    assert sheet(directory / "out.pdf", state_dir, out, new_badges=new_badges) == 0
    return (directory / "out.pdf").read_bytes(), out.getvalue().splitlines()


def texts(data: bytes, *, size: int) -> list[str]:
    return [match[3].decode("cp1252") for match in _TEXT.finditer(data) if match[2] == b"%d" % size]


def symbols(content: bytes) -> list[tuple[list[float], float]]:
    """Each barcode drawn in a page: the widths of bar, space, bar, … in points, and where it begins."""
    bars = [tuple(map(float, match.groups())) for match in _BAR.finditer(content)]
    found: list[list[tuple[float, float]]] = []
    last_y = -1.0
    last_x = 0.0
    for x, y, width, _ in bars:
        if y != last_y or x - last_x > 30 or x < last_x:
            found.append([])
        found[-1].append((x, width))
        last_x, last_y = x, y
    drawn = []
    for one in found:
        points = [edge for x, width in one for edge in (x, x + width)]
        drawn.append(([b - a for a, b in pairwise(points)], one[0][0]))
    return drawn


def test_every_command_is_there_and_is_one(tmp_path: Path) -> None:
    """Rule: commands.md#sheet."""
    data, _ = printed(tmp_path, state_dir=kiosk(tmp_path, boxes=BOXES))
    commands = [command for text in texts(data, size=7) if isinstance(command := parse_command(text), Command)]
    arguments: dict[Verb, set[str]] = {}
    for command in commands:
        arguments.setdefault(command.verb, set()).add(command.argument)
    assert set(arguments) == set(Verb)
    assert arguments[Verb.MODE] == {"USED", "DIST", "POS"}
    assert arguments[Verb.KIND] == {"SERIAL", "SKU", "AUTO"}
    assert arguments[Verb.ROLE] == {"PICK", "PACK", "SHIP", "ALL"}
    assert arguments[Verb.BOX] == {"M"}
    assert TEST_TEXT in texts(data, size=7)


def test_what_is_drawn_is_what_is_written_under_it(tmp_path: Path) -> None:
    data, _ = printed(tmp_path, new_badges=2, state_dir=kiosk(tmp_path, boxes=BOXES, operators=PEOPLE))
    drawn, codes = symbols(data), texts(data, size=7)
    assert len(drawn) == len(codes)
    for (lengths, begin), code in zip(drawn, codes, strict=True):
        wanted = widths(code)
        module = sum(lengths) / sum(wanted)
        assert [round(length / module) for length in lengths] == list(wanted)
        assert module > 0.19 * 72 / 25.4, "a narrower bar is not read by every scanner"
        assert begin >= QUIET * module
        assert begin + sum(lengths) + QUIET * module <= WIDTH_PT


def test_listed_badges_are_on_a_page_of_their_own(tmp_path: Path) -> None:
    data, said = printed(tmp_path, state_dir=kiosk(tmp_path, boxes=BOXES, operators=PEOPLE))
    assert said == []
    last_page = data.split(b"stream\n")[-2]
    assert texts(last_page, size=7) == ["ZBTOKENOFE70"], "what no Code 128 holds is left out"
    assert r"Zoë \(left\)" in texts(last_page, size=11)


def test_badges_known_by_their_hashes_cannot_be_printed(tmp_path: Path) -> None:
    data, said = printed(tmp_path, state_dir=kiosk(tmp_path, operators=SALTED))
    assert "a" * 64 not in data.decode("latin-1")
    assert [line.split(":")[0] for line in said] == ["note    no box sizes", "note    no badges of the operators list"]


def test_new_badges_are_told_for_the_operators_list(tmp_path: Path) -> None:
    """Rule: commands.md#sheet."""
    data, said = printed(tmp_path, new_badges=3)
    badges = [line.split()[1] for line in said if line.startswith("badge")]
    assert len(set(badges)) == 3
    assert all(map(is_our_badge, badges))
    assert texts(data, size=7)[-3:] == badges


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


def test_long_barcode_gets_the_whole_row() -> None:
    long, short = Card(code="X" * 64, title="long"), Card(code="ZKSAVEE", title="short")
    (page,) = pages_of([Section(heading="", cards=[short, long, short, short])])
    begins = [begin for _, begin in symbols(page.content())]
    assert len(begins) == 4
    assert begins[0] == begins[2] < begins[3]


def test_cards_never_leave_the_page() -> None:
    cards = [Card(code="ZKSAVEE", title=str(number)) for number in range(100)]
    pages = pages_of([Section(heading="many", cards=cards)])
    assert sum(len(symbols(page.content())) for page in pages) == 100
    for page in pages:
        for _, y, _, height in (map(float, match.groups()) for match in _BAR.finditer(page.content())):
            assert y > 20
            assert y + height < HEIGHT_PT - 20


def test_file_is_where_its_table_says() -> None:
    page = Page()
    page.text(10, 10, 7, "(a\\b) – ₿\n")
    data = document([page, Page()])
    start = int(data.split(b"startxref\n")[1].split(b"\n")[0])
    assert data[start:].startswith(b"xref\n0 9\n")
    offsets = [int(line[:10]) for line in data[start:].split(b"\n")[3:11]]
    for number, offset in enumerate(offsets, start=1):
        assert data[offset:].startswith(b"%d 0 obj\n" % number)
    assert texts(data, size=7) == [r"\(a\\b\) – ?"]
