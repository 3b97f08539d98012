"""How a scanner writes what it has read: encoding, GS and no-read texts."""

import json
from pathlib import Path

import pytest
from evdev import ecodes

from agent.config.key_names import GS_KEYS
from tests.config.samples import KIOSK, MINIMAL, MQTT, evdev, problems, read

WEDGE = KIOSK + MQTT + '\n[[station]]\nid = "1"\n' + evdev('usb_port = "usb-1.4"')


@pytest.mark.parametrize("text", [MINIMAL, WEDGE])
def test_defaults(file: Path, text: str) -> None:
    """`settings.md#encoding-gs-and-no-read-texts`, `scanning.md#no-read-texts`"""
    (scanner,) = read(file, text).stations[0].scanners
    assert (scanner.encoding, scanner.gs) == ("utf-8", None)
    assert scanner.no_read == ("NOREAD", "NO READ", "ERROR", "NR")


@pytest.mark.parametrize("text", [MINIMAL, WEDGE])
@pytest.mark.parametrize("gs", ["|", "^]", "~", "<GS>", "\t", "è", "\x1d"])
def test_gs_may_be_a_text(file: Path, text: str, gs: str) -> None:
    """`settings.md#encoding-gs-and-no-read-texts`"""
    (scanner,) = read(file, text + f"gs = {json.dumps(gs)}\n").stations[0].scanners
    assert scanner.gs == gs


@pytest.mark.parametrize("gs", ["KEY_DOWN", "KEY_F8", "KEY_F24", "KEY_TAB", "KEY_BACKSLASH"])
def test_gs_of_a_keyboard_may_be_a_key(file: Path, gs: str) -> None:
    """`settings.md#encoding-gs-and-no-read-texts`"""
    (scanner,) = read(file, WEDGE + f'gs = "{gs}"\n').stations[0].scanners
    assert scanner.gs == gs


@pytest.mark.parametrize(
    "gs", ['""', '"A"', '"GS"', '"12"', r'"\r"', r'"\n"', r'"\u0000"', '"|||||||||||||||||"', "29"]
)
@pytest.mark.parametrize("text", [MINIMAL, WEDGE])
def test_what_cannot_stand_for_gs_is_refused(file: Path, text: str, gs: str) -> None:
    (line,) = problems(file, text + f"gs = {gs}\n")
    assert "not all of them letters and digits, no line end, found " in line


@pytest.mark.parametrize("gs", ["KEY_ENTER", "KEY_LEFTSHIFT", "KEY_CAPSLOCK", "KEY_NONE", "KEY_down"])
def test_keys_with_a_meaning_of_their_own_are_refused(file: Path, gs: str) -> None:
    (line,) = problems(file, WEDGE + f'gs = "{gs}"\n')
    assert line.startswith("station[0].scanner[0].gs: expected the name of a key")


def test_a_serial_line_has_no_keys(file: Path) -> None:
    assert len(problems(file, MINIMAL + 'gs = "KEY_DOWN"\n')) == 1


@pytest.mark.parametrize(("text", "gs"), [(MINIMAL, r"\t"), (WEDGE, r"\t"), (WEDGE, "KEY_TAB")])
def test_gs_is_no_terminator(file: Path, text: str, gs: str) -> None:
    """`settings.md#encoding-gs-and-no-read-texts`"""
    (line,) = problems(file, text + f'terminator = "\\t"\ngs = "{gs}"\n')
    assert line.startswith("station[0].scanner[0].gs: expected something else than the terminator, Tab, found ")


@pytest.mark.parametrize("value", ['["BAD READ", "??"]', "[]", '["é"]'])
def test_no_read_texts(file: Path, value: str) -> None:
    """`scanning.md#no-read-texts`"""
    (scanner,) = read(file, MINIMAL + f"no_read = {value}\n").stations[0].scanners
    assert scanner.no_read == tuple(json.loads(value))


@pytest.mark.parametrize("line", ['no_read = "NR"', 'no_read = [""]', "no_read = [1]", 'encoding = "ascii"'])
def test_other_values_are_refused(file: Path, line: str) -> None:
    assert len(problems(file, MINIMAL + line + "\n")) == 1


def test_the_keys_have_the_names_and_codes_of_the_kernel() -> None:
    assert {name: ecodes.ecodes[name] for name in GS_KEYS} == GS_KEYS
