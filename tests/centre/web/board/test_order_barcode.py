import re

import pytest

from centre.web.board.order_barcode import order_barcode


def test_code_128_of_the_order_id_with_quiet_zones() -> None:
    # Start B, S, O, /, Code C, 10, 01 and the check character have 11 modules each, the stop has 13.
    symbol = order_barcode("SO/1001", [])
    assert (symbol.kind, symbol.text, symbol.note) == ("Code 128", "SO/1001", None)
    assert symbol.width == 10 + 8 * 11 + 13 + 10
    bars = [int(x) for x in re.findall(r"M(\d+) 0h", symbol.path)]
    assert bars[0] == 10
    assert len(bars) == 8 * 3 + 4


def test_known_pattern() -> None:
    # Start B 11010010000, A 10100011000, check 34+... : the first two symbols are enough to know the encoding.
    symbol = order_barcode("A", [])
    black = {int(x) + n for x, w in re.findall(r"M(\d+) 0h(\d+)v", symbol.path) for n in range(int(w))}
    pattern = "".join("1" if 10 + n in black else "0" for n in range(22))
    assert pattern == "1101001000010100011000"


def test_other_characters_take_a_barcode_of_the_manifest() -> None:
    symbol = order_barcode("SO-ü", ["é", "8712345"])
    assert (symbol.kind, symbol.text) == ("Code 128", "8712345")
    assert symbol.note == (
        "The order id has characters that no Code 128 can hold. This is another barcode of the same order."
    )


def test_other_characters_without_a_barcode_take_a_qr_code() -> None:
    symbol = order_barcode("заказ 7", [])
    assert (symbol.kind, symbol.text, symbol.is_square) == ("QR", "заказ 7", True)
    assert symbol.note == (
        "The order id has characters that no Code 128 can hold. It takes a scanner that reads QR codes."
    )
    assert symbol.width == symbol.height


@pytest.mark.parametrize("order", ["x" * 64, "~!\"#$%&'()*+,-./ :;<=>?@[]^_`{|}", "1234567890" * 6])
def test_every_ascii_id_fits(order: str) -> None:
    assert order_barcode(order, []).text == order


def test_long_symbol_takes_the_whole_width() -> None:
    assert order_barcode("x" * 64, []).is_long
    assert not order_barcode("SO-1001", []).is_long
