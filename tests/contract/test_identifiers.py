"""Identifiers by their form, with the vectors of the standards.

Rules: `scanning.md#never-a-serial-number`, `scanning.md#what-was-seen`.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.check_digits import luhn_ok
from agent.contract.identifiers import (
    eid_ok,
    form_of,
    gtin14,
    gtin_ok,
    iccid_ok,
    imei_form,
    imei_ok,
    meid_form,
    never_serial,
    scheme_of,
    sscc_ok,
)
from agent.contract.reasons import Seen

GOOD_IMEIS = [
    "490154203237518",
    "490154203237526",
    "350000000000014",
    "350000000000022",
    "353911101234566",
    "860000000000017",
    "012345001234561",
    "990000000000010",
]
PASSES_THOUGH_SWAPPED = ["350000000000097", "350000000000907"]
FULL_WIDTH_IMEI = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in "490154203237518")
ARABIC_INDIC_IMEI = "".join(chr(ord(digit) - ord("0") + ord("٠")) for digit in "490154203237518")
BAD_IMEIS = [
    "490154203237517",
    "350000000000041",
    "000000000000000",
    "490154203237518490154203237526",
    "49015420323751",
    "4901542032375107",
    "",
    " 90154203237518",
    "49015420323751O",
    "490154203237518\n",
    FULL_WIDTH_IMEI,
    ARABIC_INDIC_IMEI,
]
TWO_IMEIS = "490154203237518", "490154203237526"
HEX_MEID, DECIMAL_MEID = "AF0123450ABCDE", "293608736500703710"
ICCIDS = ["8944110065123456783", "89314404000110654325"]
EIDS = ["89049032000000000000001234567857", "89049032123451234512345678901235"]
GTINS = ["9506000134352", "012345678905", "09506000134352", "96385074"]
SSCC = "106141412345678908"


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


# -- devices and trade items -------------------------------------------------------------------------------------


@pytest.mark.parametrize("imei", GOOD_IMEIS)
def test_imei_good(imei: str) -> None:
    assert imei_ok(imei)
    assert imei_form(imei)
    assert luhn_ok(imei)
    assert form_of(imei) is None
    assert scheme_of(imei) == "imei"


@pytest.mark.parametrize("text", BAD_IMEIS)
def test_imei_bad(text: str) -> None:
    assert not imei_ok(text)


def test_imei_swap_of_09_and_90_is_not_seen_by_luhn() -> None:
    assert [imei_ok(text) for text in PASSES_THOUGH_SWAPPED] == [True, True]


def test_imei_all_zeros_has_a_right_check_digit_and_is_none() -> None:
    assert luhn_ok("0" * 15)
    assert imei_form("0" * 15)
    assert not imei_ok("0" * 15)


def test_imei_form_is_15_ascii_digits_right_or_wrong() -> None:
    assert imei_form("490154203237517")
    assert not any(map(imei_form, (FULL_WIDTH_IMEI, "49015420323751", "4901542032375180", "49015420323751A")))


@pytest.mark.parametrize("gtin", GTINS)
def test_gtin_good(gtin: str) -> None:
    assert gtin_ok(gtin)
    assert form_of(gtin) is Seen.GTIN
    assert len(gtin14(gtin)) == 14
    assert int(gtin14(gtin)) == int(gtin)
    assert gtin_ok(gtin14(gtin))


@pytest.mark.parametrize(
    "text", ["9506000134353", "5906000134352", "950600013435", "95060001343520000", "", "９５０６０００１３４３５２"]
)
def test_gtin_bad(text: str) -> None:
    assert not gtin_ok(text)


def test_gtin_of_another_length_is_none_though_its_check_digit_holds() -> None:
    assert not gtin_ok("0" + "09506000134352")


def test_sscc() -> None:
    assert sscc_ok(SSCC)
    assert not sscc_ok(SSCC[:-1] + "7")
    assert not sscc_ok("0" + SSCC)
    assert not sscc_ok(SSCC[:-1] + "８")


# -- devices -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("iccid", ICCIDS)
def test_iccid_good(iccid: str) -> None:
    assert iccid_ok(iccid)
    assert form_of(iccid) is Seen.ICCID
    assert never_serial(iccid)


@pytest.mark.parametrize("text", ["8944110065123456784", "0" * 19, "893144040001106543255", "8" + ICCIDS[0][1:-1]])
def test_iccid_bad(text: str) -> None:
    assert not iccid_ok(text)
    assert form_of(text) is not Seen.ICCID


@pytest.mark.parametrize("eid", EIDS)
def test_eid_good(eid: str) -> None:
    assert eid_ok(eid)
    assert form_of(eid) is Seen.EID
    assert never_serial(eid)


@pytest.mark.parametrize("text", ["89049032000000000000001234567858", "0" * 31 + "1", EIDS[0][:-1], EIDS[0] + "0"])
def test_eid_bad(text: str) -> None:
    assert not eid_ok(text)
    assert form_of(text) is not Seen.EID


@pytest.mark.parametrize("meid", [HEX_MEID, HEX_MEID.lower(), DECIMAL_MEID, "268435456000000000", "429496729516777215"])
def test_meid_good(meid: str) -> None:
    assert meid_form(meid)
    assert scheme_of(meid) == "meid"


def test_meid_decimal_is_the_hex_one_written_otherwise() -> None:
    assert f"{int(DECIMAL_MEID[:10]):08X}{int(DECIMAL_MEID[10:]):06X}" == HEX_MEID


@pytest.mark.parametrize(
    "text",
    [
        "9F0123450ABCDE",  # begins with a digit
        "GF0123450ABCDE",
        "AF0123450ABCD",
        "AF0123450ABCDEF",
        "AF0123450ABCDE\n",
        "268435455900000000",  # manufacturer code below A0000000
        "429496729600000000",  # above FFFFFFFF
        "293608736516777216",  # serial above FFFFFF
        "29360873650070371",
    ],
)
def test_meid_bad(text: str) -> None:
    assert not meid_form(text)
    assert scheme_of(text) == "serial"
    assert form_of(text) is not Seen.MEID


# -- by form -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("35391110123456", Seen.IMEI_WITHOUT_CHECK_DIGIT),
        ("49015420323751", Seen.GTIN),  # an IMEI's first 14 digits, and by chance a right GTIN-14
        ("09506000134353", Seen.IMEI_WITHOUT_CHECK_DIGIT),
        ("4901542032375107", Seen.IMEISV),
        (SSCC, Seen.SSCC),
        (DECIMAL_MEID, Seen.MEID),
        (HEX_MEID, Seen.MEID),
        ("".join(TWO_IMEIS), Seen.CONCATENATED),
        ("000000000000000000000000000001", Seen.CONCATENATED),
        *((separator.join(TWO_IMEIS), Seen.CONCATENATED) for separator in "/ ,;-\x1d\n"),
        ("X".join(TWO_IMEIS), None),
        ("0".join(TWO_IMEIS), None),
        ("２".join(TWO_IMEIS), None),
        ("//".join(TWO_IMEIS), None),
        ("9506000134353", None),
        ("96385075", None),
        ("106141412345678907", None),
        ("F2LXK0ABCD12", None),
        (FULL_WIDTH_IMEI[:14], None),
        ("", None),
    ],
)
def test_form_of(text: str, seen: Seen | None) -> None:
    assert form_of(text) is seen


@pytest.mark.parametrize(
    "text",
    [*GOOD_IMEIS, *BAD_IMEIS[:6], *GTINS, SSCC, "/".join(TWO_IMEIS), "12345678901234"],
)
def test_never_serial_of_other_identifiers(text: str) -> None:
    assert never_serial(text)


@pytest.mark.parametrize("text", ["F2LXK0ABCD12", "R58M123ABCD", "1234567", "9506000134353", HEX_MEID, DECIMAL_MEID])
def test_never_serial_leaves_serial_numbers(text: str) -> None:
    assert not never_serial(text)


@given(st.one_of(st.text(max_size=40), st.text("0123456789", max_size=34)))
def test_every_text_has_a_form_or_none(text: str) -> None:
    seen = form_of(text)
    assert seen is None or text.isascii()
    assert (seen is Seen.GTIN) == gtin_ok(text)
    assert (seen is Seen.SSCC) == sscc_ok(text)
    assert (seen is Seen.MEID) == (meid_form(text) and not sscc_ok(text))
    assert imei_form(text) <= (scheme_of(text) == "imei" and never_serial(text))
