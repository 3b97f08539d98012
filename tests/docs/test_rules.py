"""Every rule of docs/reference/ is named by a test that proves it, and nothing names a rule by its old number."""

import re

from scripts.docs.anchors import rules_of_all_pages
from scripts.docs.paths import ROOT, tracked
from scripts.docs.rules import proofs

OLD_NAME = re.compile(r"\b[S]PEC(\.md|\s*\d|['’]s)")


def test_every_rule_is_named_by_a_test() -> None:
    unproved = [rule.name for rule in rules_of_all_pages() if rule.name not in proofs()]
    assert not unproved, "name a rule in the docstring of the test that proves it, then run `make docs`"


def test_no_rule_is_named_by_its_old_number() -> None:
    texts = ((path, path.read_bytes().decode("utf-8", "replace")) for path in tracked())
    assert not [str(path.relative_to(ROOT)) for path, text in texts if OLD_NAME.search(text)]
