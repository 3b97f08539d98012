"""The first schema"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "accepted_import",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("accepted_at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "manifests", sa.LargeBinary(), nullable=False, comment="JSON list of the manifests that it puts in force."
        ),
        sa.Column("applied", sa.Integer(), nullable=False, comment="How many of them are written."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accepted_import")),
        comment="A file of orders that was accepted as a whole, until the last of its orders is written.",
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="`user:NAME`, `token:NAME` or `command`."),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False, comment="JSON"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
        comment="Numbers that rise by one: `orders.changed`, dead letters ever dropped.",
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "kiosk",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True, comment="The newest `status` message, by its connection number."),
        sa.Column("status_connection", sa.BigInteger(), nullable=True),
        sa.Column("status_received_at", sa.Text(), nullable=True),
        sa.Column("health", sa.Text(), nullable=True, comment="The newest `health` message, by its connection number."),
        sa.Column("health_connection", sa.BigInteger(), nullable=True),
        sa.Column(
            "health_received_at",
            sa.Text(),
            nullable=True,
            comment="By the centre's clock. Null: only a retained copy has come.",
        ),
        sa.Column(
            "written_off_at",
            sa.Text(),
            nullable=True,
            comment="When a supervisor gave it up: its open boxes are voided here.",
        ),
        sa.Column("retired_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kiosk")),
        sa.UniqueConstraint("site", "name", name="uq_kiosk_site_name"),
    )
    op.create_table(
        "lease",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False, comment="Rises with every take-over."),
        sa.Column("expires_at", sa.Text(), nullable=False, comment="By the database's clock."),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_lease")),
    )
    op.create_table(
        "operator",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column(
            "name",
            sa.Text(),
            nullable=True,
            comment="The only place where it is stored, so that a person can be forgotten.",
        ),
        sa.Column("badges", sa.Text(), nullable=False, comment="JSON list of salted hashes."),
        sa.Column("roles", sa.Text(), nullable=True, comment="JSON list; null: all."),
        sa.Column("place", sa.Integer(), nullable=False, comment="In the list."),
        sa.PrimaryKeyConstraint("site", "operator", name=op.f("pk_operator")),
    )
    op.create_table(
        "order_operator",
        sa.Column("order_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_name", "role", name=op.f("pk_order_operator")),
        comment="Who did it, as the kiosks said last.",
    )
    op.create_table(
        "orders",
        sa.Column("name", sa.Text(), nullable=False, comment="The order id, exact."),
        sa.Column("site", sa.Text(), nullable=True, comment="Null: for all sites of the centre."),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "revision",
            sa.BigInteger(),
            nullable=True,
            comment="Of the manifest; null if the centre knows of the order by events alone.",
        ),
        sa.Column(
            "manifest",
            sa.Text(),
            nullable=True,
            comment="The manifest in force: JSON as its source gave it. See `published_manifest`.",
        ),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="Rises with every change of anything that the order shows.",
        ),
        sa.Column(
            "changed",
            sa.BigInteger(),
            nullable=False,
            comment="From one counter for all orders: what `changed_after` follows.",
        ),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=True, comment="When a kiosk first opened it."),
        sa.Column("packed_at", sa.Text(), nullable=True),
        sa.Column(
            "cleared_at",
            sa.Text(),
            nullable=True,
            comment="When its tombstone was cleared: nothing is retained of it any longer.",
        ),
        sa.CheckConstraint("source IN ('centre', 'broker', 'kiosk')", name=op.f("ck_orders_source")),
        sa.CheckConstraint(
            "status IN ('open', 'in_progress', 'packed', 'cancelled', 'withdrawn')", name=op.f("ck_orders_status")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_orders")),
        sa.UniqueConstraint("changed", name="uq_orders_changed"),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index("ix_orders_status_name", ["status", "name"], unique=False)

    op.create_table(
        "reference",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False, comment="Of the blocked units and the order index; else empty."),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column(
            "document",
            sa.Text(),
            nullable=False,
            comment="JSON as published; of operators the salt, of the index nothing.",
        ),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('operators', 'boxes', 'blocked', 'orders')", name=op.f("ck_reference_kind")),
        sa.PrimaryKeyConstraint("site", "kind", "part", name=op.f("pk_reference")),
    )
    op.create_table(
        "retained",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column(
            "payload", sa.LargeBinary(), nullable=False, comment="What every broker should retain; empty: nothing."
        ),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("order_name", sa.Text(), nullable=True, comment="The order that it is about, if it is about one."),
        sa.Column("clear_at", sa.Text(), nullable=True, comment="When to clear it: the end of a tombstone."),
        sa.Column(
            "change",
            sa.BigInteger(),
            nullable=False,
            comment="From one counter, higher with each write: publishers follow it.",
        ),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_retained")),
        sa.UniqueConstraint("change", name="uq_retained_change"),
    )
    with op.batch_alter_table("retained", schema=None) as batch_op:
        batch_op.create_index("ix_retained_clear_at", ["clear_at"], unique=False)
        batch_op.create_index("ix_retained_order_name", ["order_name"], unique=False)

    op.create_table(
        "sent",
        sa.Column("broker", sa.Text(), nullable=False, comment="host:port"),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column(
            "digest",
            sa.LargeBinary(),
            nullable=False,
            comment="SHA-256 of the payload that the broker has acknowledged.",
        ),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("broker", "topic", name=op.f("pk_sent")),
    )
    op.create_table(
        "site",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("added_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_site")),
        comment="The sites at which orders are published. Centres that share a database write all of theirs here.",
    )
    op.create_table(
        "token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token."),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("used_at", sa.Text(), nullable=True),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        sa.CheckConstraint("scope IN ('read', 'orders', 'admin')", name=op.f("ck_token_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
    )
    op.create_table(
        "unit_event",
        sa.Column("key", sa.Text(), nullable=False, comment="An identifier of the device, as `unit_key` gives it."),
        sa.Column("position", sa.BigInteger(), nullable=False, comment="Of an event that names the device."),
        sa.PrimaryKeyConstraint("key", "position", name=op.f("pk_unit_event")),
        comment="The history of a device, by any of its identifiers.",
    )
    op.create_table(
        "unit_mark",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False, comment="The user or token."),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=False,
            comment="The newest event at that time: what came later counts.",
        ),
        sa.CheckConstraint("mark IN ('returned')", name=op.f("ck_unit_mark_mark")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_mark")),
    )
    with op.batch_alter_table("unit_mark", schema=None) as batch_op:
        batch_op.create_index("ix_unit_mark_key", ["key"], unique=False)

    op.create_table(
        "user_account",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False, comment="Argon2id."),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'supervisor', 'admin')", name=op.f("ck_user_account_role")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_user_account")),
    )
    op.create_table(
        "conflict",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_name", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("kiosk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False, comment="JSON: what a person needs to understand it."),
        sa.CheckConstraint("state IN ('open', 'kept', 'closed')", name=op.f("ck_conflict_state")),
        sa.ForeignKeyConstraint(["kiosk_id"], ["kiosk.id"], name=op.f("fk_conflict_kiosk_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict")),
    )
    with op.batch_alter_table("conflict", schema=None) as batch_op:
        batch_op.create_index("ix_conflict_order_name", ["order_name"], unique=False)
        batch_op.create_index("ix_conflict_state_id", ["state", "id"], unique=False)

    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kiosk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("journal", sa.Text(), nullable=False, comment="The 8 characters in its events' ids."),
        sa.Column(
            "branch", sa.Integer(), nullable=False, comment="0, and one more for each old copy that went on by itself."
        ),
        sa.Column(
            "base", sa.BigInteger(), nullable=False, comment="A branch shares the events up to here with branch 0."
        ),
        sa.Column(
            "through", sa.BigInteger(), nullable=False, comment="The end of the gapless run: all up to here are stored."
        ),
        sa.Column(
            "through_id",
            sa.Text(),
            nullable=True,
            comment="The id of the event at `through`; null if that lies in a hole or is the base.",
        ),
        sa.Column("highest", sa.BigInteger(), nullable=False, comment="The highest sequence stored."),
        sa.Column("first_event_at", sa.Text(), nullable=False, comment="When the first event was received."),
        sa.Column("last_event_at", sa.Text(), nullable=False, comment="When the newest event was received."),
        sa.Column(
            "written_from",
            sa.Text(),
            nullable=True,
            comment="The earliest time of its events, by clocks that were synchronised.",
        ),
        sa.Column(
            "written_to",
            sa.Text(),
            nullable=True,
            comment="The latest one. Two journals of one kiosk do not overlap in time.",
        ),
        sa.CheckConstraint("base >= 0 AND through >= base AND highest >= base", name=op.f("ck_journal_run")),
        sa.ForeignKeyConstraint(["kiosk_id"], ["kiosk.id"], name=op.f("fk_journal_kiosk_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("kiosk_id", "journal", "branch", name="uq_journal_kiosk_journal_branch"),
        comment="One gapless run of sequences. Counts follow from the events up to `through` alone.",
    )
    op.create_table(
        "sign_in_link",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_name"], ["user_account.name"], name=op.f("fk_sign_in_link_user_name"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_link")),
    )
    op.create_table(
        "station",
        sa.Column("kiosk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "view", sa.Text(), nullable=False, comment="The newest `station/{name}` message, by its connection number."
        ),
        sa.Column("connection", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["kiosk_id"], ["kiosk.id"], name=op.f("fk_station_kiosk_id")),
        sa.PrimaryKeyConstraint("kiosk_id", "name", name=op.f("pk_station")),
    )
    op.create_table(
        "web_session",
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the cookie."),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("used_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_name"], ["user_account.name"], name=op.f("fk_web_session_user_name"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_web_session")),
    )
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.create_index("ix_web_session_user_name", ["user_name"], unique=False)

    op.create_table(
        "box",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("journal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("box", sa.Text(), nullable=False, comment="The id that the kiosk gave it."),
        sa.Column("order_name", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("size", sa.Text(), nullable=True, comment="Its code."),
        sa.Column("length_mm", sa.Integer(), nullable=True),
        sa.Column("width_mm", sa.Integer(), nullable=True),
        sa.Column("height_mm", sa.Integer(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.Text(), nullable=True),
        sa.Column("voided_by", sa.Text(), nullable=True, comment="The user who voided it here; null if the kiosk did."),
        sa.CheckConstraint("state IN ('open', 'created', 'confirmed', 'voided')", name=op.f("ck_box_state")),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name=op.f("fk_box_journal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_box")),
        sa.UniqueConstraint("box", "journal_id", name="uq_box_box_journal"),
    )
    with op.batch_alter_table("box", schema=None) as batch_op:
        batch_op.create_index("ix_box_label", ["label"], unique=False)
        batch_op.create_index("ix_box_order_name", ["order_name"], unique=False)

    op.create_table(
        "event",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="The order of commits, which readers of the feed follow.",
        ),
        sa.Column("kiosk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("journal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False, comment="As in the document: `kiosk.scan.accepted.v1`."),
        sa.Column("order_name", sa.Text(), nullable=True, comment="The document's subject."),
        sa.Column(
            "time", sa.Text(), nullable=False, comment="The document's time; of the receipt, if its clock was not set."
        ),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False, comment="The exact bytes that were received."),
        sa.CheckConstraint(
            "state IN ('waiting', 'projected', 'not_understood', 'stand_in')", name=op.f("ck_event_state")
        ),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name=op.f("fk_event_journal_id")),
        sa.ForeignKeyConstraint(["kiosk_id"], ["kiosk.id"], name=op.f("fk_event_kiosk_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_event")),
        sa.UniqueConstraint("journal_id", "sequence", name="uq_event_journal_sequence"),
        sa.UniqueConstraint("kiosk_id", "event_id", name="uq_event_kiosk_event"),
        comment="`waiting`: beyond a gap. `not_understood`: of a newer kiosk. `stand_in`: the original may still come.",
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_order_name_position", ["order_name", "position"], unique=False)
        batch_op.create_index("ix_event_type_position", ["type", "position"], unique=False)
        batch_op.create_index("ix_event_kiosk_id_position", ["kiosk_id", "position"], unique=False)
        batch_op.create_index(
            "ix_event_unfinished",
            ["order_name", "position"],
            unique=False,
            sqlite_where=sa.text("state <> 'projected'"),
            postgresql_where=sa.text("state <> 'projected'"),
        )

    op.create_table(
        "hole",
        sa.Column("journal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("found_at", sa.Text(), nullable=False),
        sa.CheckConstraint("last >= first", name=op.f("ck_hole_order")),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name=op.f("fk_hole_journal_id")),
        sa.PrimaryKeyConstraint("journal_id", "first", name=op.f("pk_hole")),
        comment="Sequences that the kiosk no longer has: the run goes on behind them.",
    )
    op.create_table(
        "piece",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("box_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_name", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column(
            "unit", sa.Text(), nullable=True, comment="The published id; null where pieces are counted, not devices."
        ),
        sa.Column("unit_key", sa.Text(), nullable=True, comment="The form in which units are compared."),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=True,
            comment="Of the `scan.accepted` event; null if only a box event told of it.",
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_piece_quantity")),
        sa.CheckConstraint("unit IS NULL OR quantity = 1", name=op.f("ck_piece_one_unit")),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name=op.f("fk_piece_box_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_piece")),
        comment="What lies in boxes that are not voided: the counts of an order are the sums of these.",
    )
    with op.batch_alter_table("piece", schema=None) as batch_op:
        batch_op.create_index("ix_piece_box_id", ["box_id"], unique=False)
        batch_op.create_index("ix_piece_order_name", ["order_name"], unique=False)
        batch_op.create_index("ix_piece_unit_key", ["unit_key"], unique=False)
