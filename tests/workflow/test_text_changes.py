"""Differences between texts: they give the new text again, and are small where little has changed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.workflow.text_changes import changed_text, changes_between

TEXTS = st.text(alphabet="[],ab", max_size=40)


@given(TEXTS, TEXTS)
def test_changes_make_the_new_text_from_the_old(old: str, new: str) -> None:
    changes = changes_between(old, new)
    assert changed_text(old, changes) == new
    assert changed_text(old, json.loads(json.dumps(changes))) == new


def manifest(revision: int, units: list[str]) -> str:
    text = {"order": "SO-1", "revision": revision, "lines": [{"line": "1", "units": [[unit] for unit in units]}]}
    return json.dumps(text, separators=(",", ":"))


UNITS = [f"3500000{number:08d}" for number in range(5000)]


@pytest.mark.parametrize(
    ("units", "largest"),
    [
        (UNITS, 100),
        (UNITS[1:], 120),
        ([*UNITS[:2000], "490154203237518", *UNITS[2000:]], 150),
        ([*UNITS[2500:], *UNITS[:2500]], 150),
        ([*UNITS[:100], *UNITS[200:]], 120),
        ([], 100),
    ],
    ids=["only the revision", "one less", "one more", "two halves swapped", "a hundred less", "none left"],
)
def test_little_changes_are_small(units: list[str], largest: int) -> None:
    changes = changes_between(manifest(1, UNITS), manifest(2, units))
    assert changed_text(manifest(1, UNITS), changes) == manifest(2, units)
    assert len(json.dumps(changes)) < largest


def test_texts_with_nothing_in_common_are_one_change() -> None:
    assert changes_between("a[b[c", "x[y") == ("x[y",)


@pytest.mark.parametrize("change", [(0, 4), (-1, 1), (3, 1), (1, 0)])
def test_changes_of_another_text_are_refused(change: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="pieces"):
        changed_text("a[b[c", [change])
