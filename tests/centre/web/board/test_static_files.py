"""The vendored scripts are what they are said to be, and the colours can be read."""

import hashlib
import re

import pytest

from centre.web.board.page_rendering import STATIC


def test_vendored_files_are_as_listed() -> None:
    listed = re.findall(r"^(\S+\.js)\s+.*\s([0-9a-f]{64})$", (STATIC / "vendor/VERSIONS.txt").read_text(), re.MULTILINE)
    assert {name for name, _ in listed} == {file.name for file in (STATIC / "vendor").glob("*.js")}
    for name, digest in listed:
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest


CSS = (STATIC / "board.css").read_text()
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS)
}
PAIRS = [
    *[(tone, ground) for tone in ("go", "wait", "warn", "stop") for ground in (f"{tone}-bg", "card", "ground")],
    *[(text, ground) for text in ("ink", "soft") for ground in ("card", "ground")],
    *[("ink", f"{tone}-bg") for tone in ("go", "wait", "warn", "stop")],
    ("card", "wait"),
    ("card", "stop"),
]


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_contrast_is_at_least_4_5(text: str, ground: str, scheme: int) -> None:
    darker, lighter = sorted((luminance(COLOURS[text][scheme]), luminance(COLOURS[ground][scheme])))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_style_sheet_and_script_load_nothing_from_elsewhere() -> None:
    for name in ("board.css", "board.js"):
        text = (STATIC / name).read_text()
        assert "http:" not in text
        assert "https:" not in text
        assert "@import" not in text
