"""What the stored events tell about orders of which the centre has no manifest."""

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, select

from centre.store.schema import event
from centre.store.statements import chunks
from centre.unreadable import UNREADABLE

__all__ = ["seen_revisions"]

_TYPES = ("kiosk.order.opened.v1", "kiosk.order.revised.v1", "kiosk.order.packing_confirmed.v1")


class _Data(msgspec.Struct):
    revision: int = 0


class _Document(msgspec.Struct):
    data: _Data


_decoder = msgspec.json.Decoder(_Document)


def seen_revisions(connection: Connection, names: Collection[str]) -> dict[str, int]:
    """Return the highest revision under which kiosks have worked on each of these orders, where they have."""
    found: dict[str, int] = {}
    for piece in chunks(list(names)):
        statement = select(event.c.order_name, event.c.document).where(
            event.c.order_name.in_(piece), event.c.type.in_(_TYPES)
        )
        for name, document in connection.execute(statement):
            try:
                revision = _decoder.decode(document).data.revision
            except UNREADABLE:
                continue  # not understood, or a stand-in
            found[name] = max(found.get(name, 0), revision)
    return found
