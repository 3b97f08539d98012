"""Docstrings as one line of text, those under the attributes of a class too."""

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise

__all__ = ["attribute_docs", "summary"]


def summary(thing: object) -> str:
    """Return the first paragraph of the docstring of a class or function, as one line; empty if it has none of its own.

    An inherited docstring does not count.
    """
    doc = vars(thing).get("__doc__") if isinstance(thing, type) else getattr(thing, "__doc__", None)
    return _line(doc or "")


@cache
def attribute_docs(cls: type) -> dict[str, str]:
    """Return the text under each attribute of a class, such as a member of an enum, by the attribute's name.

    Attributes of base classes are included. Python forgets these texts, so they are read from the source.
    """
    docs: dict[str, str] = {}
    for one in reversed(cls.__mro__):
        if one.__module__.startswith(("agent.", "centre.")):
            docs |= _own_attribute_docs(one)
    return docs


def _own_attribute_docs(cls: type) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    docs = {}
    for statement, below in pairwise(definition.body):
        match statement, below:
            case (
                ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                docs[name] = _line(text)
    return docs


def _line(doc: str) -> str:
    return " ".join(inspect.cleandoc(doc).split("\n\n")[0].split())
