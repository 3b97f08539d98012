"""The state table and its diagram, from `agent.workflow.table`."""

from collections import defaultdict
from collections.abc import Iterable

from agent.contract.printed_codes import Verb
from agent.contract.reasons import Reason
from agent.workflow.state import Phase
from agent.workflow.table import LEADS_TO, TABLE, Act, Input
from scripts.docs.docstrings import attribute_docs
from scripts.docs.markdown import code, table

__all__ = ["diagram", "states"]

_NEVER = {(Input.OPEN_ORDER, Phase.READY)}
"""What cannot happen: in `ready` no order is open."""


def states() -> str:
    """Return a table of what each scan does in each state."""
    acts = attribute_docs(Act)

    def cell(row: Input, phase: Phase) -> str:
        if (row, phase) in _NEVER:
            return "–"
        found = TABLE[row, phase]
        return code(found) if isinstance(found, Reason) else acts[found.name].removesuffix(".")

    phases = list(dict.fromkeys(phase for _, phase in TABLE))
    rows = ((_row_name(row), *(cell(row, phase) for phase in phases)) for row in Input)
    return table(("scan", *map(code, phases)), rows)


def diagram() -> str:
    """Return a Mermaid diagram of the states and of the scans that lead from one to the other."""
    scans: dict[tuple[Phase, Phase], list[str]] = defaultdict(list)
    for (row, phase), found in TABLE.items():
        if isinstance(found, Act) and (row, phase) not in _NEVER:
            for after in sorted(LEADS_TO.get((phase, found), ())):
                scans[phase, after].append(_row_name(row))
    arrows = (f"    {before} --> {after}: {_one_of(names)}" for (before, after), names in scans.items())
    return "\n".join(("```mermaid", "stateDiagram-v2", "    [*] --> ready", *arrows, "```")) + "\n"


def _row_name(row: Input) -> str:
    """Return the text of a row; that of a command is its verb."""
    return row.name if row.name in Verb.__members__ else attribute_docs(Input)[row.name].removesuffix(".")


def _one_of(names: Iterable[str]) -> str:
    return " / ".join(name if name.isupper() else name[0].lower() + name[1:] for name in names)
