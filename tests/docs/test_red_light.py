"""The page for technicians names every exit code and every field of `health`."""

import re
from collections.abc import Iterator
from typing import get_args, get_type_hints

import pytest
from msgspec import Struct

from agent.contract.kiosk_health import KioskHealth, LastExit
from agent.contract.signals import Signal
from agent.exit_codes import ExitCode
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "how-to" / "red-light.md").read_text("utf-8")
CELLS = {code for row in re.findall(r"^\|([^|]*)\|", TEXT, re.MULTILINE) for code in re.findall(r"`([^`]+)`", row)}
"""What the first columns of the page's tables name in code type."""
FIRST = {row.strip() for row in re.findall(r"^\|([^|]*)\|", TEXT, re.MULTILINE)}


def fields_of(model: type[Struct], prefix: str = "") -> Iterator[str]:
    """The fields of a message, nested ones with dots, those of lists with brackets."""
    for name, kind in get_type_hints(model).items():
        items = [item for item in (kind, *get_args(kind)) if isinstance(item, type) and issubclass(item, Struct)]
        if items:
            yield from fields_of(items[0], f"{prefix}{name}{'' if items[0] is kind else '[]'}.")
        else:
            yield prefix + name


@pytest.mark.parametrize("field", sorted(fields_of(KioskHealth)))
def test_every_field_of_health_is_explained(field: str) -> None:
    assert field in CELLS


def test_no_field_is_explained_that_health_has_not() -> None:
    fields = set(fields_of(KioskHealth))
    roots = {field.split(".")[0].rstrip("[]") for field in fields}
    assert {
        cell for cell in CELLS if re.split(r"[.\[]", cell)[0] in roots and not cell.startswith("station/")
    } <= fields


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_is_explained(code: ExitCode) -> None:
    assert str(int(code)) in FIRST


@pytest.mark.parametrize("cause", LastExit)
def test_every_last_exit_is_explained(cause: LastExit) -> None:
    assert f"`{cause}`" in TEXT


@pytest.mark.parametrize("signal", [Signal.REJECT, Signal.FAULT, Signal.ALARM])
def test_every_red_signal_is_explained(signal: Signal) -> None:
    assert f"`{signal}`" in TEXT


SAID = [
    "cannot be opened",
    "is missing",
    "several keyboards are",
    "is plugged in",
    "the device does not answer",
    "waiting to connect",
    "staying away",
    "the host name cannot be resolved",
    "nothing listens there",
    "no answer in time",
    "the port does not speak TLS",
    "its certificate is not yet valid",
    "is for another host name",
    "was issued by an authority that is not trusted here",
    "the broker refuses the connection",
    "ca_file, cert_file or key_file cannot be used",
    "the broker does not acknowledge what is published",
    "the journal cannot be read",
    "the disk is full up to its reserve",
    "no operators list has come",
    "the cache cannot be written",
    "housekeeping of the journal fails",
]
SOURCES = "\n".join(path.read_text("utf-8") for path in (ROOT / "agent").rglob("*.py"))


@pytest.mark.parametrize("text", SAID)
def test_the_page_quotes_what_the_agent_says(text: str) -> None:
    assert text in SOURCES, "the agent says it in other words now: say so on the page, too"
    assert text in TEXT
