import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.errors import KioskError
from agent.workflow.gs1 import GS, Elements, Gs1Error, aim_split, parse

GTIN = "09506000134352"
IMEI, IMEI2 = "490154203237518", "352099001761481"
SSCC = "106141412345678908"
LINK = f"https://id.gs1.org/01/{GTIN}/21/ABC123?8002={IMEI}"
LINK_LIKE = re.compile(r"https?://[^/]+/.*\d{2}/", re.IGNORECASE | re.DOTALL)
CHARACTER_SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def elements(
    *,
    gtin: str | None = None,
    serial: str | None = None,
    imeis: tuple[str, ...] = (),
    sscc: str | None = None,
    quantity: int | None = None,
    references: tuple[str, ...] = (),
    others: bool = False,
) -> Elements:
    return Elements(
        gtin=gtin, serial=serial, imeis=imeis, sscc=sscc, quantity=quantity, references=references, others=others
    )


def gs1_128(text: str) -> Elements | None:
    return parse("C1", text)


# -- AIM identifiers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "symbology", "data"),
    [
        (f"]C0{IMEI}", "C0", IMEI),
        ("]E0" + GTIN[1:], "E0", GTIN[1:]),
        (f"]e0{GS}01{GTIN}", "e0", f"{GS}01{GTIN}"),
        ("]d2", "d2", ""),
        ("]QA]C1", "QA", "]C1"),
        (IMEI, None, IMEI),
        ("", None, ""),
        ("]", None, "]"),
        ("]C", None, "]C"),
        ("]1C23", None, "]1C23"),
        ("]C-23", None, "]C-23"),
        ("]Ｃ0", None, "]Ｃ0"),
        ("]C٣", None, "]C٣"),
        (f" ]C0{IMEI}", None, f" ]C0{IMEI}"),
    ],
)
def test_aim_split(text: str, symbology: str | None, data: str) -> None:
    """`scanning.md#aim-identifier`"""
    assert aim_split(text) == (symbology, data)


# -- what is GS1 at all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("symbology", ["C1", "d2", "Q3", "e0"])
def test_gs1_symbologies(symbology: str) -> None:
    """`scanning.md#when-gs1-is-parsed`"""
    assert parse(symbology, f"01{GTIN}") == elements(gtin=GTIN)


@pytest.mark.parametrize("symbology", [None, "C0", "E0", "E4", "d1", "D2", "q3", "Q1", "c1", "]C1"])
def test_no_gs1_behind_other_symbologies(symbology: str | None) -> None:
    """`scanning.md#when-gs1-is-parsed`"""
    assert parse(symbology, f"01{GTIN}") is None


@pytest.mark.parametrize("symbology", [None, "C0", "d1"])
def test_leading_gs_makes_it_gs1_behind_any_symbology(symbology: str | None) -> None:
    """`scanning.md#when-gs1-is-parsed`"""
    assert parse(symbology, f"{GS}01{GTIN}") == elements(gtin=GTIN)


@pytest.mark.parametrize("imei", ["353911101234566", "990000000000010", IMEI, "860000000000017"])
def test_bare_imei_is_never_tried_as_gs1(imei: str) -> None:
    """`scanning.md#when-gs1-is-parsed`"""
    assert parse(None, imei) is None
    assert parse("C0", imei) is None


# -- element strings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scan", "expected"),
    [
        (f"]C101{GTIN}8002{IMEI}", elements(gtin=GTIN, imeis=(IMEI,))),
        (f"]d201{GTIN}21ABC123{GS}8002{IMEI}", elements(gtin=GTIN, serial="ABC123", imeis=(IMEI,))),
        (f"]Q301{GTIN}8002{IMEI}{GS}8002{IMEI2}", elements(gtin=GTIN, imeis=(IMEI, IMEI2))),
        (f"]C18002{IMEI2}{GS}8002{IMEI}", elements(imeis=(IMEI2, IMEI))),
        # The check digit is wrong, which GS1 does not know: the caller refuses it.
        ("]C18002490154203237517", elements(imeis=("490154203237517",))),
        (f"]C100{SSCC}", elements(sscc=SSCC)),
        (f"]C100{SSCC}02{GTIN}3710", elements(sscc=SSCC, others=True)),
        (f"]e001{GTIN}1726123110LOT-7", elements(gtin=GTIN, others=True)),
        (f"]e001{GTIN}3103000250392212345", elements(gtin=GTIN, others=True)),
        (f"]C14109506000134352{GS}21S", elements(serial="S", others=True)),
        ("]C121" + "S" * 20, elements(serial="S" * 20)),
        ("]C191" + "x" * 90, elements(others=True)),
    ],
)
def test_element_strings(scan: str, expected: Elements) -> None:
    """`scanning.md#application-identifiers`"""
    assert parse(*aim_split(scan)) == expected


@pytest.mark.parametrize(
    "text",
    [f"{GS}01{GTIN}21A", f"01{GTIN}{GS}21A", f"01{GTIN}21A{GS}", f"{GS}01{GTIN}{GS}21A{GS}", f"21A{GS}01{GTIN}"],
)
def test_separators_that_need_not_be_there_are_taken(text: str) -> None:
    assert gs1_128(text) == elements(gtin=GTIN, serial="A")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no element"),
        (GS, "no element"),
        (GS * 2, "no AI"),
        (f"01{GTIN}{GS}{GS}21A", "no AI"),
        ("2", "no AI"),
        ("23", "no AI"),
        ("800", "no AI"),
        ("8O02490154203237518", "no AI"),
        (f"８002{IMEI}", "no AI"),
        (f"800２{IMEI}", "no AI"),
        ("05123", "no AI"),
        ("38001", "no AI"),
        ("http://example.com/", "no AI"),
        ("01", "01 has no value"),
        ("21", "21 has no value"),
        (f"21{GS}8002{IMEI}", "21 has no value"),
        (f"01{GTIN[:-1]}", "01 takes 14 digits"),
        (f"01{GTIN[:-1]}{GS}21A", "01 takes 14 digits"),
        (f"01{GTIN[:-1]}A", "01 takes 14 digits"),
        (f"01{GTIN[:-1]}２", "01 takes 14 digits"),
        ("17261", "17 takes 6 digits"),
        ("310312345", "3103 takes 6 digits"),
        (f"01{GTIN[:-1]}3", "01 has a wrong check digit"),
        ("00106141412345678907", "00 has a wrong check digit"),
        ("21" + "S" * 21, "21 is too long"),
        ("8002" + "1" * 21, "8002 is too long"),
        ("91" + "x" * 91, "91 is too long"),
        ("10" + "L" * 21, "10 is too long"),
        ("21A B", "21 has a character"),
        ("21A|8002", "21 has a character"),
        ("21A\n", "21 has a character"),
        ("21A\x00", "21 has a character"),
        ("21É", "21 has a character"),
        (f"21A{GS}21B", "21 comes twice"),
        (f"01{GTIN}0100000096385074", "01 comes twice"),
        (f"10A{GS}10B", "10 comes twice"),
    ],
)
def test_malformed_element_strings_are_refused(text: str, why: str) -> None:
    """`scanning.md#when-gs1-is-parsed`"""
    with pytest.raises(Gs1Error, match=why):
        gs1_128(text)


@pytest.mark.parametrize(
    "text",
    [
        f"01{GTIN}21ABC1238002{IMEI}",
        f"8002{IMEI}01{GTIN}",
        f"8002{IMEI}8002{IMEI2}",
        f"21S8002{IMEI}",  # short enough for a serial number, but the IMEI shows
        f"218002{IMEI}",
        f"10LOT8002{IMEI}",
        f"240PART-NUMBER8002{IMEI}",
    ],
)
def test_missing_separator_is_refused_where_it_shows(text: str) -> None:
    """`scanning.md#when-gs1-is-parsed`"""
    with pytest.raises(Gs1Error, match=r"separator after (it|AI \d+) is missing"):
        gs1_128(text)


def test_serial_that_only_looks_like_it_swallowed_an_imei_is_taken() -> None:
    assert gs1_128("21S8002490154203237517") == elements(serial="S8002490154203237517")


@pytest.mark.parametrize("ai", ["03", "04", "11", "19", "20", "3100", "3695", "410", "417"])
def test_value_of_predefined_length_needs_no_separator(ai: str) -> None:
    length = {"03": 14, "04": 16, "20": 2, "410": 13, "417": 13}.get(ai, 6)
    assert gs1_128(ai + "1" * length + "21A") == elements(serial="A", others=True)


def test_same_element_twice_counts_once() -> None:
    assert gs1_128(f"21A{GS}01{GTIN}21A") == elements(gtin=GTIN, serial="A")
    assert gs1_128(f"8002{IMEI}{GS}8002{IMEI}") == elements(imeis=(IMEI,))


def test_error_is_ours_and_a_value_error_and_repeats_nothing_scanned() -> None:
    with pytest.raises(Gs1Error) as caught:
        gs1_128("21SECRET\x1b[2J")
    assert isinstance(caught.value, KioskError)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value).isprintable()
    assert "SECRET" not in str(caught.value)


# -- Digital Link ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LINK, elements(gtin=GTIN, serial="ABC123", imeis=(IMEI,))),
        (
            LINK.replace("https://id.gs1.org", "HTTP://ID.GS1.ORG:8080"),
            elements(gtin=GTIN, serial="ABC123", imeis=(IMEI,)),
        ),
        (f"https://example.com/phones/de/01/{GTIN}", elements(gtin=GTIN)),
        (f"https://example.com/01/{GTIN}/", elements(gtin=GTIN)),
        (f"https://example.com/01/{GTIN}#top", elements(gtin=GTIN)),
        (f"https://example.com/01/{GTIN}?21=A&lang=de&linkType=all#x?21=B", elements(gtin=GTIN, serial="A")),
        (f"https://example.com/01/{GTIN}?17=261231;21=A", elements(gtin=GTIN, serial="A", others=True)),
        (f"https://example.com/01/{GTIN}/10/L1/21/A", elements(gtin=GTIN, serial="A", others=True)),
        (f"https://example.com/01/{GTIN}/21/A%2Fb%2f%26", elements(gtin=GTIN, serial="A/b/&")),
        (f"https://example.com/01/{GTIN}/21/A+B", elements(gtin=GTIN, serial="A+B")),
        (f"https://example.com/01/{GTIN}/8002/{IMEI}", elements(gtin=GTIN, imeis=(IMEI,))),
        (f"https://example.com/8002/{IMEI}", elements(imeis=(IMEI,))),
        (f"https://example.com/8002/{IMEI}/21/A?8002={IMEI2}", elements(imeis=(IMEI, IMEI2), serial="A")),
        (f"https://example.com/00/{SSCC}", elements(sscc=SSCC)),
        (f"https://example.com/21/X/01/{GTIN}/21/A", elements(gtin=GTIN, serial="A")),
        (f"https://example.com/01/01/{GTIN}", elements(gtin=GTIN)),
        (f"https://example.com/01/phones/01/{GTIN}", elements(gtin=GTIN)),
        (f"https://example.com/8002/{IMEI2}/8002/{IMEI}", elements(imeis=(IMEI2, IMEI))),
        ("https://example.com/01/9506000134352", elements(gtin=GTIN)),
        ("https://example.com/01/96385074/21/A", elements(gtin="00000096385074", serial="A")),
        ("https://example.com/8004/95060001343", elements(others=True)),
    ],
)
def test_digital_link(text: str, expected: Elements) -> None:
    """`scanning.md#when-gs1-is-parsed`"""
    assert parse("Q1", text) == expected
    assert parse(None, text) == expected
    assert parse("Q3", text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com",
        "https://example.com/",
        "https://example.com/phones/13",
        "https://example.com/01",
        f"https://example.com/01/{GTIN}/21",
        f"https://example.com/01/{GTIN}/buy/now",
        f"https://example.com/?8002={IMEI}",
        "https://example.com/21/ABC",
        f"https:///01/{GTIN}",
        f"ftp://example.com/01/{GTIN}",
        f"httpſ://example.com/01/{GTIN}",
        f"example.com/01/{GTIN}",
        f" https://example.com/01/{GTIN}",
        f"https://example.com?x=/01/{GTIN}",
        f"https://example.com/０１/{GTIN}",
        "http",
    ],
)
def test_other_addresses_are_no_digital_link(text: str) -> None:
    """`scanning.md#when-gs1-is-parsed`"""
    assert parse("Q1", text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"https://example.com/01/{GTIN[:-1]}3", "wrong check digit"),
        ("https://example.com/01/0950600013435", "14 digits"),
        ("https://example.com/01/9506000134353/21/A", "14 digits"),
        ("https://example.com/01//21/A", "no value"),
        (f"https://example.com/01/{GTIN}?21=", "no value"),
        (f"https://example.com/01/{GTIN}?21", "no value"),
        (f"https://example.com/01/{GTIN}?123=4", "no AI"),
        (f"https://example.com/01/{GTIN}/21/A?21=B", "comes twice"),
        (f"https://example.com/01/{GTIN}/21/" + "S" * 21, "too long"),
        (f"https://example.com/01/{GTIN}/21/A%2", "percent-encoding"),
        (f"https://example.com/01/{GTIN}/21/A%", "percent-encoding"),
        (f"https://example.com/01/{GTIN}/21/A%+1", "percent-encoding"),
        (f"https://example.com/01/{GTIN}/21/A%20B", "has a character"),
        (f"https://example.com/01/{GTIN}/21/A%1D", "has a character"),
        (f"https://example.com/01/{GTIN}/21/%C3%89", "has a character"),
        (f"https://example.com/01/{GTIN}/21/A{GS}8002{IMEI}", "control character"),
        (f"https://exam\x1bple.com/01/{GTIN}", "control character"),
    ],
)
def test_malformed_digital_links_are_refused(text: str, why: str) -> None:
    """`scanning.md#when-gs1-is-parsed`"""
    with pytest.raises(Gs1Error, match=why):
        parse("Q1", text)


# -- any text ----------------------------------------------------------------------------------------------------

pieces = st.sampled_from(
    [GS, "01", GTIN, "21", "8002", IMEI, "00", SSCC, "10", "3103", "41", "%", "/", "?", "&", "=", "１"]
)
soup = st.lists(st.one_of(pieces, st.text(max_size=3)), max_size=12).map("".join)
any_text = st.one_of(st.text(max_size=60), soup, soup.map("https://a.b/".__add__), soup.map("http://a/01/".__add__))


@given(st.sampled_from([None, "C0", "C1", "d2"]), any_text)
def test_any_text_is_parsed_or_refused(symbology: str | None, text: str) -> None:
    """`scanning.md#when-gs1-is-parsed`"""
    claims_gs1 = symbology in ("C1", "d2") or text.startswith(GS)
    try:
        found = parse(symbology, text)
    except Gs1Error:
        assert claims_gs1 or LINK_LIKE.match(text)
        return
    assert found is not None or not claims_gs1
    if found is not None:
        assert claims_gs1 or LINK_LIKE.match(text)
        assert found != elements()
        assert all(1 <= len(value) <= 20 and value.isascii() for value in (*found.imeis, found.serial or "-"))


values_21 = st.text(CHARACTER_SET_82, min_size=1, max_size=20)
values_10 = st.text(CHARACTER_SET_82, min_size=1, max_size=15)


@st.composite
def shuffled_elements(draw: st.DrawFn) -> tuple[list[tuple[str, str]], Elements]:
    gtin = draw(st.sampled_from([GTIN, "00012345678905", "10614141543219", None]))
    serial = draw(st.none() | values_21)
    imeis = tuple(draw(st.lists(values_21, max_size=2, unique=True)))
    sscc = draw(st.sampled_from([SSCC, None]))
    batch = draw(st.none() | values_10)
    pairs = [("01", gtin), ("21", serial), ("00", sscc), ("10", batch), ("8002", imeis[0] if imeis else None)]
    pairs = draw(st.permutations(pairs)) + [("8002", imei) for imei in imeis[1:]]
    present = [(ai, value) for ai, value in pairs if value is not None]
    assume(present)
    assume(not any("8002" in value for _, value in present))
    return present, elements(gtin=gtin, serial=serial, imeis=imeis, sscc=sscc, others=batch is not None)


@given(shuffled_elements(), st.booleans(), st.booleans())
def test_element_string_comes_back_as_it_was_built(
    built: tuple[list[tuple[str, str]], Elements], leading: bool, always: bool
) -> None:
    pairs, expected = built
    text = "".join(ai + value + (GS if always or ai not in ("00", "01") else "") for ai, value in pairs)
    assert gs1_128(GS * leading + text) == expected


@given(values_21, values_10, st.booleans())
def test_digital_link_comes_back_as_it_was_built(serial: str, batch: str, in_query: bool) -> None:
    assume("8002" not in serial)
    encoded = "".join(one if one.isalnum() else f"%{ord(one):02X}" for one in serial)
    lot = "".join(f"%{ord(one):02x}" for one in batch)
    tail = f"?21={encoded}&10={lot}" if in_query else f"/10/{lot}/21/{encoded}"
    assert parse(None, f"https://example.com/x/01/{GTIN}{tail}") == elements(gtin=GTIN, serial=serial, others=True)
