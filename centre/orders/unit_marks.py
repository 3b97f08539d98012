"""What a person says about a device."""

from sqlalchemy import Connection

from agent.contract.manifest import unit_key
from centre.centre_errors import Refused
from centre.orders.unit_status import read_unit
from centre.store.audit_rows import add_audit
from centre.store.event_rows import last_position
from centre.store.unit_rows import UnitMark, add_mark

__all__ = ["UnitNotKnown", "mark_returned"]


class UnitNotKnown(Refused):
    """No kiosk has told of this device."""

    def __init__(self, identifier: str) -> None:
        super().__init__(f"no kiosk has told of device {identifier!a}")
        self.identifier = identifier


def mark_returned(connection: Connection, identifier: str, *, actor: str, now: str) -> None:
    """Say that a device has come back, so that it may be sold again. `now` is moment text. Raises UnitNotKnown."""
    if read_unit(connection, identifier)["state"] == "unknown":
        raise UnitNotKnown(identifier)
    mark = UnitMark(mark="returned", at=now, by=actor, position=last_position(connection))
    add_mark(connection, unit_key(identifier), mark)
    add_audit(connection, now, actor, "unit.returned", identifier)
