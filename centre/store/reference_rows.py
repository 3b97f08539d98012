"""Reference data by site: revisions and documents of operators, box sizes, blocked units and the order index."""

from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, select

from centre.store.schema import reference
from centre.store.statements import replace_rows

__all__ = ["ReferenceKind", "ReferenceRow", "load_reference", "parts_of_reference", "save_reference"]

ReferenceKind: TypeAlias = Literal["operators", "boxes", "blocked", "orders"]


class ReferenceRow(Struct, frozen=True, kw_only=True):
    """One list or part of a list. The columns are described in `centre.store.schema`."""

    site: str
    kind: ReferenceKind
    part: str = ""
    revision: int
    document: str
    changed_at: str


_COLUMNS = [reference.c[name] for name in ReferenceRow.__struct_fields__]


def load_reference(connection: Connection, site: str, kind: ReferenceKind, part: str = "") -> ReferenceRow | None:
    """Return one list, or one part of it."""
    where = (reference.c.site == site, reference.c.kind == kind, reference.c.part == part)
    row = connection.execute(select(*_COLUMNS).where(*where)).first()
    return None if row is None else ReferenceRow(**row._mapping)


def parts_of_reference(connection: Connection, site: str, kind: ReferenceKind) -> dict[str, ReferenceRow]:
    """Return all parts of a list, by part."""
    where = (reference.c.site == site, reference.c.kind == kind)
    rows = connection.execute(select(*_COLUMNS).where(*where).order_by(reference.c.part))
    return {row.part: ReferenceRow(**row._mapping) for row in rows}


def save_reference(connection: Connection, row: ReferenceRow) -> None:
    """Insert or replace a list, or a part of it."""
    replace_rows(connection, reference, [asdict(row)])
