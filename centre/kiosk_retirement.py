"""Taking a kiosk out of the lists."""

from sqlalchemy import Connection

from agent.contract.topics import Topics
from centre.store.audit_rows import add_audit
from centre.store.kiosk_list_rows import mark_retired
from centre.store.kiosk_rows import KioskRow
from centre.store.message_rows import RetainedMessage, save_messages

__all__ = ["retire"]


def retire(connection: Connection, row: KioskRow, *, actor: str, now: str) -> None:
    """Mark a kiosk as retired, and clear its `ack` at the brokers. `now` is moment text. No-op if it is retired.

    The centre's account may write nothing else of a kiosk's that is retained (`mqtt.md#access-rights`).
    """
    if row.retired_at is not None:
        return
    mark_retired(connection, row.id, now)
    save_messages(connection, [RetainedMessage(topic=Topics(row.site, row.name).ack, payload=b"", site=row.site)])
    add_audit(connection, now, actor, "kiosk.retire", f"{row.site}/{row.name}")
