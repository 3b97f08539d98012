"""The picture says in words what it says in colours, at any size."""

import io
import json
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace
from rich.console import Console

from agent.contract.reasons import Reason
from agent.contract.signals import Colour, Signal, Steady
from agent.daemon.root import Look
from agent.demo.board import Arrival, Board
from agent.demo.picture import picture_of, svg_of
from agent.demo.sample import STOLEN
from agent.demo.view import View, view_of
from agent.uplink.uplink_health import Situation, UplinkHealth
from tests.demo.warehouse import Warehouse


def uplink(*, last: int, acked: int) -> UplinkHealth:
    return UplinkHealth(
        situation=Situation(online=True), backlog=last - acked, sent=last, acked=acked, last_sequence=last,
        acked_sequence=acked, refused=0, refusals=0,
    )  # fmt: skip


def view_after(*typed: str, board: Board | None = None, hold: bool = False) -> View:
    warehouse = Warehouse()
    for words in typed:
        warehouse.type(words)
    if hold:
        warehouse.verdict("hold", "MX-4004", STOLEN)
    look = Look(state=warehouse.state, catalogue=warehouse.catalogue, uplink=uplink(last=3, acked=2))
    return view_of(look, (board or Board()).glimpse(), "mosquitto")


def text_of(view: View, columns: int = 112, rows: int = 36) -> str:
    console = Console(width=columns, height=rows, file=io.StringIO(), color_system=None, record=True)
    console.print(picture_of(view, rows), height=rows)
    return console.export_text()


def rows_with(text: str, *words: str) -> list[str]:
    return [row for row in text.splitlines() if all(word in row for word in words)]


def test_an_order_s_lines_have_ordered_scanned_and_pending() -> None:
    text = text_of(view_after("badge e7", "order do-2002", "product 1", "imei 1"))
    assert rows_with(text, "order DO-2002 · distribution")
    (row,) = rows_with(text, "Phone 14 256 GB blue")
    assert row.split("distribution")[1].split("│")[0].split() == ["2", "1", "1"]
    assert "▸ 1" in row
    (row,) = rows_with(text, "Phone 14 128 GB red")
    assert row.split("distribution")[1].split("│")[0].split() == ["2", "0", "2"]
    assert rows_with(text, "scanned 1", "pending 3")
    assert rows_with(text, "picking E7", "packing E8", "shipping E9")
    assert rows_with(text, "box 3F0C9A1B", "open · 1 piece ")
    assert rows_with(text, "next", "imei 2")


def test_the_light_has_a_word_and_the_buzzer_a_rhythm() -> None:
    board = Board()
    board.scanned("imei bad")
    board.signalled(Signal.REJECT, Reason.BAD_CHECK_DIGIT, 0)
    board.lamp(Colour.RED, True)
    board.steady(Steady.SIGNED_OUT)
    text = text_of(view_after(board=board))
    for words in ("light RED", "REJECT", "bad_check_digit", "buzzer ━━ ━━ ━━", "steady: signed out"):
        assert rows_with(text, words)


@pytest.mark.parametrize("signal", Signal)
def test_every_signal_can_be_drawn(signal: Signal) -> None:
    board = Board()
    board.scanned("imei 1")
    board.signalled(signal, None, 3)
    assert signal.upper() in text_of(view_after(board=board))


def test_events_are_marked_when_they_are_acknowledged() -> None:
    board = Board()
    for sequence in (1, 2, 3):
        board.arrived(Arrival(sequence=sequence, kind="scan.accepted", summary="CASE-13"))
    text = text_of(view_after(board=board))
    assert rows_with(text, "2 of 3 events acknowledged, 1 waiting")
    assert [len(rows_with(text, mark, "scan.accepted")) for mark in ("✔   1", "✔   2", "…   3")] == [1, 1, 1]


def test_what_is_held_is_said() -> None:
    text = text_of(view_after("badge e7", "order mx-4004", "mode used", "imei 1", "remove", hold=True))
    assert "HELD BY THE CENTRE" in text
    assert rows_with(text, "picking E7", "remove …")


def test_a_box_s_size_and_label_are_shown() -> None:
    typed = ("badge e7", "order do-2002", "product 1", "imei 1", "save", "box m", "label 1")
    assert rows_with(text_of(view_after(*typed)), "created · 1 piece · size M · label 0952012")
    assert rows_with(text_of(view_after(*typed, "save")), "no open box", "1 confirmed")


def test_a_note_takes_the_place_of_the_caption() -> None:
    board = Board()
    board.caption("job 1", "Noor signs in")
    assert rows_with(text_of(view_after(board=board)), "job 1   Noor signs in")
    board.note("of this order there are imei 1 to imei 3")
    text = text_of(view_after(board=board))
    assert rows_with(text, "of this order there are imei 1 to imei 3")
    assert not rows_with(text, "Noor")
    assert rows_with(text, "scan> ")


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 60), (40, 10), (20, 4)])
def test_no_size_is_too_strange(columns: int, rows: int) -> None:
    board = Board()
    for number in range(300):
        board.scanned(f"imei {number}")
        board.signalled(Signal.OK, None, 0)
        board.arrived(Arrival(sequence=number, kind="scan.accepted", summary="a phone"))
    text = text_of(view_after("badge e7", "order so-1001", board=board), columns, rows)
    assert {len(row) <= columns for row in text.splitlines()} == {True}
    assert len(text.splitlines()) <= rows
    if columns >= 80:
        assert "imei 299" in text
        assert "scan> " in text


def test_the_svg_is_well_formed_and_holds_no_markup_of_what_was_typed() -> None:
    board = Board()
    board.scanned("<b>[red]&")
    board.signalled(Signal.OK, None, 0)
    svg = svg_of(replace(view_after("badge e7", "order so-1001", board=board)))
    drawn = "".join(ElementTree.fromstring(svg).itertext()).replace("\xa0", " ")
    assert "<b>[red]&" in drawn
    assert json.dumps("kiosk-agent demo").strip('"') in drawn
