"""Read and apply an authorization file of EMQX as its documentation says. EMQX itself does not run in these tests.

What our file uses of it: Erlang tuples, each ended by a dot, `{Permission, Who, Action, [Topic, …]}` or `{Permission,
all}`. The first rule that matches the client, the action and the topic decides. `${username}` stands for the client's
username. A subscription's filter is compared like a topic: only a wildcard of the rule matches its wildcards.
"""

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Action", "allowed", "rules_of"]

Action = Literal["publish", "subscribe"]

_STRING = r'"[^"\\]*"'
_RULE = re.compile(
    rf"""\s*\{{ (?P<permission>allow|deny) \s*,\s*
    (?: all \s*
      | \{{username \s*,\s* (?: (?P<name>{_STRING}) | \{{re \s*,\s* (?P<expression>{_STRING})\}} )\}}
        \s*,\s* (?P<action>publish|subscribe|all)
        \s*,\s* \[\s* (?P<topics>{_STRING} (?: \s*,\s* {_STRING})*) \s*\]
    ) \}}\.\s*""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """`username` is an expression. None matches everybody, and as `action` or `topics` everything."""

    allow: bool
    username: re.Pattern[str] | None
    action: str | None
    topics: tuple[str, ...] | None


def rules_of(text: str) -> list[_Rule]:
    """Return the rules of a file, in order. Raises AssertionError if it is not of the form that we use."""
    text = re.sub("^%.*$", "", text, flags=re.MULTILINE)
    rules: list[_Rule] = []
    at = 0
    while at < len(text):
        found = _RULE.match(text, at)
        assert found, f"no rule: {text[at : at + 80]!r}"
        at = found.end()
        name, expression, topics = found["name"], found["expression"], found["topics"]
        username = f"^{re.escape(name[1:-1])}$" if name else expression[1:-1] if expression else None
        rules.append(
            _Rule(
                allow=found["permission"] == "allow",
                username=None if username is None else re.compile(username),
                action=None if found["action"] in (None, "all") else found["action"],
                topics=None if topics is None else tuple(one[1:-1] for one in re.findall(_STRING, topics)),
            )
        )
    return rules


def _matches(topic: str, pattern: str) -> bool:
    levels, wanted = topic.split("/"), pattern.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    if wanted[-1] == "#":
        wanted.pop()
        levels = levels[: len(wanted)]
    return len(levels) == len(wanted) and all(
        want == have or (want == "+" and have != "#") for want, have in zip(wanted, levels, strict=True)
    )


def allowed(rules: list[_Rule], *, username: str | None, action: Action, topic: str) -> bool:
    """Return whether the first rule that matches allows it. Raises AssertionError if no rule matches."""
    for rule in rules:
        if rule.username is not None and (username is None or not rule.username.search(username)):
            continue
        if rule.action not in (None, action):
            continue
        patterns = rule.topics
        if patterns is None or any(_matches(topic, one.replace("${username}", username or "")) for one in patterns):
            return rule.allow
    raise AssertionError(f"no rule decides {action} {topic} of {username}")
