"""The tables of the centre, for SQLite and PostgreSQL alike.

Times are UTC text, `YYYY-MM-DDThh:mm:ss.mmmZ`: they sort as they are, and are published as they are. JSON is text,
since nothing in it is queried. What a constraint can promise, a constraint promises.

A change here needs a migration in `centre/store/migrations/`; a test holds the two equal on both databases.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = ["metadata"]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")
"""The type of a generated key. SQLite generates keys for INTEGER columns only."""


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


# -- sites, kiosks and their journals --------------------------------------------------------------------------------

site = Table(
    "site",
    metadata,
    Column("name", Text, primary_key=True),
    Column("added_at", Text, nullable=False),
    comment="The sites at which orders are published. Centres that share a database write all of theirs here.",
)

kiosk = Table(
    "kiosk",
    metadata,
    Column("id", Key, primary_key=True),
    Column("site", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Text, comment="The newest `status` message, by its connection number."),
    Column("status_connection", BigInteger),
    Column("status_received_at", Text),
    Column("health", Text, comment="The newest `health` message, by its connection number."),
    Column("health_connection", BigInteger),
    Column("health_received_at", Text, comment="By the centre's clock. Null: only a retained copy has come."),
    Column("written_off_at", Text, comment="When a supervisor gave it up: its open boxes are voided here."),
    Column("retired_at", Text),
    UniqueConstraint("site", "name", name="uq_kiosk_site_name"),
)

station = Table(
    "station",
    metadata,
    Column("kiosk_id", ForeignKey("kiosk.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("view", Text, nullable=False, comment="The newest `station/{name}` message, by its connection number."),
    Column("connection", BigInteger, nullable=False),
    Column("received_at", Text, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kiosk_id", ForeignKey("kiosk.id"), nullable=False),
    Column("journal", Text, nullable=False, comment="The 8 characters in its events' ids."),
    Column("branch", Integer, nullable=False, comment="0, and one more for each old copy that went on by itself."),
    Column("base", BigInteger, nullable=False, comment="A branch shares the events up to here with branch 0."),
    Column("through", BigInteger, nullable=False, comment="The end of the gapless run: all up to here are stored."),
    Column("through_id", Text, comment="The id of the event at `through`; null if that lies in a hole or is the base."),
    Column("highest", BigInteger, nullable=False, comment="The highest sequence stored."),
    Column("first_event_at", Text, nullable=False, comment="When the first event was received."),
    Column("last_event_at", Text, nullable=False, comment="When the newest event was received."),
    Column("written_from", Text, comment="The earliest time of its events, by clocks that were synchronised."),
    Column("written_to", Text, comment="The latest one. Two journals of one kiosk do not overlap in time."),
    UniqueConstraint("kiosk_id", "journal", "branch", name="uq_journal_kiosk_journal_branch"),
    CheckConstraint("base >= 0 AND through >= base AND highest >= base", name="run"),
    comment="One gapless run of sequences. Counts follow from the events up to `through` alone.",
)

hole = Table(
    "hole",
    metadata,
    Column("journal_id", ForeignKey("journal.id"), primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("found_at", Text, nullable=False),
    CheckConstraint("last >= first", name="order"),
    comment="Sequences that the kiosk no longer has: the run goes on behind them.",
)

event = Table(
    "event",
    metadata,
    Column("position", Key, primary_key=True, comment="The order of commits, which readers of the feed follow."),
    Column("kiosk_id", ForeignKey("kiosk.id"), nullable=False),
    Column("journal_id", ForeignKey("journal.id"), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False, comment="As in the document: `kiosk.scan.accepted.v1`."),
    Column("order_name", Text, comment="The document's subject."),
    Column("time", Text, nullable=False, comment="The document's time; of the receipt, if its clock was not set."),
    Column("received_at", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("document", LargeBinary, nullable=False, comment="The exact bytes that were received."),
    UniqueConstraint("kiosk_id", "event_id", name="uq_event_kiosk_event"),
    UniqueConstraint("journal_id", "sequence", name="uq_event_journal_sequence"),
    _one_of("state", "waiting", "projected", "not_understood", "stand_in"),
    Index("ix_event_order_name_position", "order_name", "position"),
    Index("ix_event_type_position", "type", "position"),
    Index("ix_event_kiosk_id_position", "kiosk_id", "position"),
    Index(
        "ix_event_unfinished",
        "order_name",
        "position",
        sqlite_where=text("state <> 'projected'"),
        postgresql_where=text("state <> 'projected'"),
    ),
    comment="`waiting`: beyond a gap. `not_understood`: of a newer kiosk. `stand_in`: the original may still come.",
    sqlite_autoincrement=True,
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Key, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

# -- what the events mean --------------------------------------------------------------------------------------------

box = Table(
    "box",
    metadata,
    Column("id", Key, primary_key=True),
    Column("journal_id", ForeignKey("journal.id"), nullable=False),
    Column("box", Text, nullable=False, comment="The id that the kiosk gave it."),
    Column("order_name", Text, nullable=False),
    Column("mode", Text),
    Column("state", Text, nullable=False),
    Column("size", Text, comment="Its code."),
    Column("length_mm", Integer),
    Column("width_mm", Integer),
    Column("height_mm", Integer),
    Column("label", Text),
    Column("confirmed_at", Text),
    Column("voided_by", Text, comment="The user who voided it here; null if the kiosk did."),
    UniqueConstraint("box", "journal_id", name="uq_box_box_journal"),
    _one_of("state", "open", "created", "confirmed", "voided"),
    Index("ix_box_order_name", "order_name"),
    Index("ix_box_label", "label"),
)

piece = Table(
    "piece",
    metadata,
    Column("id", Key, primary_key=True),
    Column("box_id", ForeignKey("box.id"), nullable=False),
    Column("order_name", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("unit", Text, comment="The published id; null where pieces are counted, not devices."),
    Column("unit_key", Text, comment="The form in which units are compared."),
    Column("quantity", Integer, nullable=False),
    Column("position", BigInteger, comment="Of the `scan.accepted` event; null if only a box event told of it."),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("unit IS NULL OR quantity = 1", name="one_unit"),
    Index("ix_piece_box_id", "box_id"),
    Index("ix_piece_order_name", "order_name"),
    Index("ix_piece_unit_key", "unit_key"),
    comment="What lies in boxes that are not voided: the counts of an order are the sums of these.",
)

unit_event = Table(
    "unit_event",
    metadata,
    Column("key", Text, primary_key=True, comment="An identifier of the device, as `unit_key` gives it."),
    Column("position", BigInteger, primary_key=True, comment="Of an event that names the device."),
    comment="The history of a device, by any of its identifiers.",
)

unit_mark = Table(
    "unit_mark",
    metadata,
    Column("id", Key, primary_key=True),
    Column("key", Text, nullable=False),
    Column("mark", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False, comment="The user or token."),
    Column("position", BigInteger, nullable=False, comment="The newest event at that time: what came later counts."),
    _one_of("mark", "returned"),
    Index("ix_unit_mark_key", "key"),
)

order_operator = Table(
    "order_operator",
    metadata,
    Column("order_name", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("operator", Text, nullable=False),
    comment="Who did it, as the kiosks said last.",
)

conflict = Table(
    "conflict",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("order_name", Text),
    Column("unit", Text),
    Column("kiosk_id", ForeignKey("kiosk.id")),
    Column("state", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("closed_at", Text),
    Column("details", Text, nullable=False, comment="JSON: what a person needs to understand it."),
    _one_of("state", "open", "kept", "closed"),
    Index("ix_conflict_state_id", "state", "id"),
    Index("ix_conflict_order_name", "order_name"),
)

# -- orders and reference data ---------------------------------------------------------------------------------------

orders = Table(
    "orders",
    metadata,
    Column("name", Text, primary_key=True, comment="The order id, exact."),
    Column("site", Text, comment="Null: for all sites of the centre."),
    Column("source", Text, nullable=False),
    Column("revision", BigInteger, comment="Of the manifest; null if the centre knows of the order by events alone."),
    Column("manifest", Text, comment="The manifest in force: JSON as its source gave it. See `published_manifest`."),
    Column("status", Text, nullable=False),
    Column("version", BigInteger, nullable=False, comment="Rises with every change of anything that the order shows."),
    Column(
        "changed", BigInteger, nullable=False, comment="From one counter for all orders: what `changed_after` follows."
    ),
    Column("changed_at", Text, nullable=False),
    Column("opened_at", Text, comment="When a kiosk first opened it."),
    Column("packed_at", Text),
    Column("cleared_at", Text, comment="When its tombstone was cleared: nothing is retained of it any longer."),
    _one_of("source", "centre", "broker", "kiosk"),
    _one_of("status", "open", "in_progress", "packed", "cancelled", "withdrawn"),
    UniqueConstraint("changed", name="uq_orders_changed"),
    Index("ix_orders_status_name", "status", "name"),
)

accepted_import = Table(
    "accepted_import",
    metadata,
    Column("id", Key, primary_key=True),
    Column("accepted_at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("manifests", LargeBinary, nullable=False, comment="JSON list of the manifests that it puts in force."),
    Column("applied", Integer, nullable=False, comment="How many of them are written."),
    comment="A file of orders that was accepted as a whole, until the last of its orders is written.",
)

reference = Table(
    "reference",
    metadata,
    Column("site", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("part", Text, primary_key=True, comment="Of the blocked units and the order index; else empty."),
    Column("revision", BigInteger, nullable=False),
    Column("document", Text, nullable=False, comment="JSON as published; of operators the salt, of the index nothing."),
    Column("changed_at", Text, nullable=False),
    _one_of("kind", "operators", "boxes", "blocked", "orders"),
)

operator = Table(
    "operator",
    metadata,
    Column("site", Text, primary_key=True),
    Column("operator", Text, primary_key=True),
    Column("name", Text, comment="The only place where it is stored, so that a person can be forgotten."),
    Column("badges", Text, nullable=False, comment="JSON list of salted hashes."),
    Column("roles", Text, comment="JSON list; null: all."),
    Column("place", Integer, nullable=False, comment="In the list."),
)

retained = Table(
    "retained",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False, comment="What every broker should retain; empty: nothing."),
    Column("site", Text, nullable=False),
    Column("order_name", Text, comment="The order that it is about, if it is about one."),
    Column("clear_at", Text, comment="When to clear it: the end of a tombstone."),
    Column(
        "change", BigInteger, nullable=False, comment="From one counter, higher with each write: publishers follow it."
    ),
    UniqueConstraint("change", name="uq_retained_change"),
    Index("ix_retained_order_name", "order_name"),
    Index("ix_retained_clear_at", "clear_at"),
)

sent = Table(
    "sent",
    metadata,
    Column("broker", Text, primary_key=True, comment="host:port"),
    Column("topic", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the payload that the broker has acknowledged."),
    Column("at", Text, nullable=False),
)

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    comment="Numbers that rise by one: `orders.changed`, dead letters ever dropped.",
)

# -- people, programs and processes ----------------------------------------------------------------------------------

user = Table(
    "user_account",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False, comment="Argon2id."),
    Column("created_at", Text, nullable=False),
    _one_of("role", "viewer", "supervisor", "admin"),
)

session = Table(
    "web_session",
    metadata,
    Column("digest", LargeBinary, primary_key=True, comment="SHA-256 of the cookie."),
    Column("user_name", ForeignKey("user_account.name", ondelete="CASCADE"), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("used_at", Text, nullable=False),
    Index("ix_web_session_user_name", "user_name"),
)

sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_name", ForeignKey("user_account.name", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Text, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the token."),
    Column("created_at", Text, nullable=False),
    Column("used_at", Text),
    Column("revoked_at", Text),
    _one_of("scope", "read", "orders", "admin"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False, comment="`user:NAME`, `token:NAME` or `command`."),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False, comment="JSON"),
    sqlite_autoincrement=True,
)

lease = Table(
    "lease",
    metadata,
    Column("site", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False, comment="Rises with every take-over."),
    Column("expires_at", Text, nullable=False, comment="By the database's clock."),
)
