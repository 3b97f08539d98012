"""How barcodes are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.contract.manifest import all_in_same_case, same_case


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_form_of_a_form_is_the_same(code: str) -> None:
    assert same_case(same_case(code)) == same_case(code)


@pytest.mark.parametrize("code", ["ZK\u017fAVE", "\u212aA-1", "\ufb01", "\u00df", "\u017fO-1001", "\uff21", "\u0131"])
def test_no_other_letter_passes_for_a_plain_one(code: str) -> None:
    assert not same_case(code).isascii()


@given(st.lists(st.text() | st.text("aB1\n-")))
def test_all_at_once_have_the_form_of_each(codes: list[str]) -> None:
    assert all_in_same_case(codes) == [same_case(code) for code in codes]


def test_case_does_not_matter() -> None:
    assert same_case("so-1001") == same_case("SO-1001")
    assert same_case("caf\u00e9") == same_case("CAF\u00c9")
