"""A packing floor in a database: kiosks with their reports, orders, boxes and events, as a working day leaves them.

Rows are written as ingest and projection write them, without a broker in between.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, update

from agent.contract.manifest import unit_key
from centre.moments import moment
from centre.orders import manifest_intake
from centre.store.database import Database
from centre.store.schema import (
    box,
    event,
    journal,
    kiosk,
    operator,
    order_operator,
    orders,
    piece,
    station,
    unit_event,
)
from centre.store.site_rows import add_sites

SITE = "rtm1"

Contents = tuple[str, str, Sequence[Any]]
"""Line, SKU, and units or numbers of pieces."""


class Floor:
    """Writes rows. Times are given as seconds before `now`."""

    def __init__(self, database: Database, now: datetime, sites: Sequence[str] = (SITE,)) -> None:
        self.database = database
        self.now = now
        self._sequence = 0
        self._boxes = 0
        self._journals: dict[str, int] = {}
        self._connection: Connection | None = None
        with self._writing() as connection:
            add_sites(connection, list(sites), self.at(0))

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Write everything within in one transaction: a commit for each row would take its time."""
        with self.database.writing() as self._connection:
            yield
        self._connection = None

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._connection is not None:
            yield self._connection
        else:
            with self.database.writing() as connection:
                yield connection

    def at(self, seconds_ago: float) -> str:
        return moment(self.now - timedelta(seconds=seconds_ago))

    # -- kiosks ------------------------------------------------------------------------------------------------------

    def kiosk(
        self,
        name: str,
        *,
        site: str = SITE,
        views: Mapping[str, Mapping[str, Any]] | None = None,
        status: Mapping[str, Any] | None = None,
        health: Mapping[str, Any] | None = None,
        heard_s: float | None = 5,
    ) -> None:
        """Add a kiosk with its stations' views; `heard_s`: how long ago its health came, None: only a retained one."""
        with self._writing() as connection:
            values = {
                "site": site, "name": name,
                "status": json.dumps({"state": "online", "version": "1.0.0", "connection": 7, **(status or {})}),
                "status_connection": 7, "status_received_at": self.at(4000),
                "health": json.dumps(health_of(self.at(heard_s or 0), **(health or {}))),
                "health_connection": 7, "health_received_at": None if heard_s is None else self.at(heard_s),
            }  # fmt: skip
            id = connection.execute(insert(kiosk).values(values).returning(kiosk.c.id)).scalar_one()
            for station_name, view in (views or {}).items():
                connection.execute(
                    insert(station).values(
                        kiosk_id=id, name=station_name, view=json.dumps(view), connection=7, received_at=view["time"]
                    )
                )
            found = connection.execute(
                insert(journal)
                .values(
                    kiosk_id=id, journal="3F0C9A1B", branch=0, base=0, through=0, highest=0,
                    first_event_at=self.at(86400), last_event_at=self.at(0),
                )
                .returning(journal.c.id)
            )  # fmt: skip
            self._journals[name] = found.scalar_one()

    def view(self, seconds_ago: float, **fields: Any) -> dict[str, Any]:
        """Return a station view."""
        view: dict[str, Any] = {
            "state": "scanning", "signed_in": True, "operator": None, "order": None, "mode": "used", "product": None,
            "scanned": None, "pending": None, "box": None, "last": {"signal": "ok", "reason": None}, "held": False,
            "time": self.at(seconds_ago), "connection": 7,
        }  # fmt: skip
        return {**view, **fields}

    def operators(self, names: Mapping[str, str], site: str = SITE) -> None:
        with self._writing() as connection:
            for place, (id, name) in enumerate(names.items()):
                connection.execute(insert(operator).values(site=site, operator=id, name=name, badges="[]", place=place))

    # -- orders ------------------------------------------------------------------------------------------------------

    def order(
        self, name: str, lines: Sequence[Mapping[str, Any]], *, ago_s: float = 3600, status: str | None = None,
        barcodes: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Bring an order in; `status` is what became of it."""
        document = {"order": name, "type": "normal", "lines": list(lines), "barcodes": list(barcodes)}
        now = self.at(ago_s)
        with self._writing() as connection:
            manifest_intake.put(connection, name, json.dumps(document).encode(), site=None, actor="command", now=now)
            if status is not None:
                values: dict[str, Any] = {"status": status, "opened_at": now}
                if status == "packed":
                    values["packed_at"] = now
                connection.execute(update(orders).where(orders.c.name == name).values(values))

    def roles(self, order: str, **operators: str) -> None:
        with self._writing() as connection:
            for role, id in operators.items():
                connection.execute(insert(order_operator).values(order_name=order, role=role, operator=id))

    # -- what happened -----------------------------------------------------------------------------------------------

    def event(
        self, at_kiosk: str, type: str, data: Mapping[str, Any], *, ago_s: float, operator: str | None = None,
        station: str = "1", clocksynced: bool = True, state: str = "projected",
    ) -> int:  # fmt: skip
        """Store an event, and return its position."""
        self._sequence += 1
        order = data.get("order")
        document = {
            "specversion": "1.0", "type": f"kiosk.{type}.v1", "station": station, "operator": operator,
            "subject": order, "clocksynced": clocksynced, "data": data,
        }  # fmt: skip
        with self._writing() as connection:
            row = {
                "kiosk_id": self._kiosk_id(connection, at_kiosk), "journal_id": self._journals[at_kiosk],
                "sequence": self._sequence, "event_id": f"3F0C9A1B-{self._sequence:012d}-7d1e40aa",
                "type": f"kiosk.{type}.v1", "order_name": order, "time": self.at(ago_s), "received_at": self.at(ago_s),
                "state": state, "document": json.dumps(document).encode(),
            }  # fmt: skip
            position: int = connection.execute(insert(event).values(row).returning(event.c.position)).scalar_one()
            for key in _keys(data.get("unit")):
                connection.execute(insert(unit_event).values(key=key, position=position))
        return position

    def _kiosk_id(self, connection: Connection, name: str) -> int:
        found: int = connection.execute(
            journal.select().with_only_columns(journal.c.kiosk_id).where(journal.c.id == self._journals[name])
        ).scalar_one()
        return found

    def box(
        self, at_kiosk: str, order: str, contents: Sequence[Contents], *, state: str = "confirmed",
        label: str | None = None, size: tuple[str, int, int, int] | None = None, ago_s: float = 600,
        operator: str | None = None, name: str | None = None,
    ) -> str:  # fmt: skip
        """Count pieces into a box, with their events."""
        self._boxes += 1
        name = name or f"3F0C9A1B{self._boxes:06X}"
        code, length, width, height = size or (None, None, None, None)
        row = {
            "journal_id": self._journals[at_kiosk], "box": name, "order_name": order, "mode": "used", "state": state,
            "size": code, "length_mm": length, "width_mm": width, "height_mm": height, "label": label,
            "confirmed_at": self.at(ago_s) if state == "confirmed" else None,
        }  # fmt: skip
        with self._writing() as connection:
            box_id = connection.execute(insert(box).values(row).returning(box.c.id)).scalar_one()
        started = ago_s + 4 * sum(len(units) for _, _, units in contents)
        listed = []
        for line, sku, units in contents:
            for unit in units:
                started -= 4
                self._count(at_kiosk, box_id, name, order, line, sku, unit, started, operator)
            numbers = [unit for unit in units if isinstance(unit, int)]
            listed.append({
                "line": line, "sku": sku, "quantity": sum(numbers) + len(units) - len(numbers),
                "units": [_published(unit) for unit in units if not isinstance(unit, int)],
            })  # fmt: skip
        if state == "confirmed":
            sized = (
                None if code is None else {"code": code, "length_mm": length, "width_mm": width, "height_mm": height}
            )
            self.event(
                at_kiosk, "box.confirmed", {"box": name, "order": order, "mode": "used", "contents": listed,
                "size": sized, "label": label}, ago_s=ago_s, operator=operator,
            )  # fmt: skip
        return name

    def _count(
        self, at_kiosk: str, box_id: int, box_name: str, order: str, line: str, sku: str, unit: Any, ago_s: float,
        operator: str | None,
    ) -> None:  # fmt: skip
        is_pieces = isinstance(unit, int)
        id = None if is_pieces else _published(unit)
        aliases = [] if isinstance(unit, str | int) else list(unit[1:])
        data = {
            "order": order, "line": line, "sku": sku, "mode": "used", "box": box_name,
            "unit": None if is_pieces else {"scheme": "imei", "id": id, "aliases": aliases},
            "quantity": unit if is_pieces else 1,
        }  # fmt: skip
        position = self.event(at_kiosk, "scan.accepted", data, ago_s=ago_s, operator=operator)
        with self._writing() as connection:
            connection.execute(
                insert(piece).values(
                    box_id=box_id, order_name=order, line=line, sku=sku, unit=id,
                    unit_key=None if id is None else unit_key(id), quantity=data["quantity"], position=position,
                )
            )  # fmt: skip


def health_of(time: str, **fields: Any) -> dict[str, Any]:
    """Return the health of a kiosk in order. `uplink` and `journal` may be given in part."""
    uplink = {
        "online": True, "state": "online", "backlog": 0, "oldest_age_s": None, "refused": 0, "last_refusal": None,
        "refused_subscriptions": [], "duplicate_id": False, "journal_rolled_back": False, **fields.pop("uplink", {}),
    }  # fmt: skip
    health: dict[str, Any] = {
        "time": time, "connection": 7, "uplink": uplink, "indicator": [],
        "scanners": [{"station": "1", "name": "left", "driver": "evdev", "connected": True, "detail": ""}],
        "journal": {"fault": None, "time_to_full_s": None, **fields.pop("journal", {})},
        "clock_synced": True, "operators_revision": 3, "missing_manifests": [], "orders_not_cached": 0, "errors": [],
        "temperature_c": 51.0, "under_voltage": False,
    }  # fmt: skip
    return {**health, **fields}


def _published(unit: Any) -> str:
    return unit if isinstance(unit, str) else str(unit[0])


def _keys(unit: Any) -> list[str]:
    if unit is None:
        return []
    names = [unit] if isinstance(unit, str) else [unit["id"], *unit["aliases"]]
    return [unit_key(name) for name in names]


def imei(number: int) -> str:
    """Return an IMEI with its check digit."""
    body = f"35693804{number:06d}"
    digits = [int(digit) * (1 + place % 2) for place, digit in enumerate(body)]
    return body + str(-sum(digit - 9 if digit > 9 else digit for digit in digits) % 10)


def line(line: str, sku: str, quantity: int, **more: Any) -> dict[str, Any]:
    """Return a line of a manifest."""
    return {"line": line, "sku": sku, "quantity": quantity, "flow": "used", "serialized": True, **more}
