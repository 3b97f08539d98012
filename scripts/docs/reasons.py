"""The reasons of a refusal, from `agent.contract.reasons`."""

from agent.contract.reasons import Reason, Seen
from scripts.docs.docstrings import attribute_docs
from scripts.docs.markdown import code, table

__all__ = ["reasons", "seen"]


def reasons() -> str:
    """Return a table of the reasons: when each is given."""
    given_when = attribute_docs(Reason)
    return table(("reason", "given when"), ((code(reason), given_when[reason.name]) for reason in Reason))


def seen() -> str:
    """Return a table of what a recognised but unwanted barcode can be."""
    forms = attribute_docs(Seen)
    return table((code("seen"), "form"), ((code(one), forms[one.name]) for one in Seen))
