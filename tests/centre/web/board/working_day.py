"""One working day on a floor of eight benches, as the sketch of the board tells it."""

from typing import Any

from tests.centre.web.board.floor import Floor, imei, line

__all__ = ["HELD_IMEI", "OTHER_IMEI", "fill"]

HELD_IMEI, OTHER_IMEI = imei(900101), imei(900102)
_NAMES = {
    "E1": "Noor Visser", "E2": "Ada Okafor", "E3": "Sam de Wit", "E4": "Bo Lindqvist", "E5": "Kim Jansen",
    "E6": "Lee Park", "E7": "Max Bauer",
}  # fmt: skip
_SMALL, _LARGE = ("S", 220, 160, 90), ("L", 600, 400, 300)


def fill(floor: Floor) -> None:
    """Write the day, the oldest first, as a day goes."""
    with floor.at_once():
        floor.operators(_NAMES)
        _packed(floor)
        _open(floor)
        _benches(floor)


def _phones(first: int, count: int) -> list[str]:
    return [imei(number) for number in range(first, first + count)]


def _packed(floor: Floor) -> None:
    floor.kiosk("dock-6", views={"1": floor.view(1260, state="ready", signed_in=False, mode=None,
                last={"signal": "confirmed", "reason": None})})  # fmt: skip
    floor.order("SO-0990", [line("1", "P13-128-BLK", 2)], ago_s=90000, status="cancelled")
    for number in reversed(range(12)):
        name = f"SO-{1020 + number}"
        ago = 3000 + number * 1500
        floor.order(name, [line("1", "P13-128-BLK", 3, name="Phone 13, 128 GB, black")], ago_s=ago, status="packed")
        floor.box(
            "dock-6", name, [("1", "P13-128-BLK", _phones(number * 10, 3))], label=f"ZL77{number:04d}",
            size=_SMALL, ago_s=ago, operator="E7",
        )  # fmt: skip
        floor.roles(name, picking="E7", packing="E7", shipping="E3")
        confirmed = {"order": name, "revision": 1, "lines": [], "boxes": [], "operators": {}}
        floor.event("dock-6", "order.packing_confirmed", confirmed, ago_s=ago - 5, operator="E7")


def _open(floor: Floor) -> None:
    lines = [
        line("1", "P13-256-GRN", 8, name="Phone 13, 256 GB, green"),
        line("2", "P13-128-BLK", 3, name="Phone 13, 128 GB, black"),
        line("3", "CBL-USBC-1M", 1, name="Cable USB-C, 1 m", serialized=False, flow="pos"),
    ]
    floor.order("SO-1042", lines, ago_s=2000, status="in_progress")
    floor.order("SO-1057", [line("1", "P14-128-BLU", 40, flow="distribution")], ago_s=1900, status="in_progress")
    floor.order("SO-1049", [line("1", "P13-128-BLK", 6)], ago_s=1900, status="in_progress")
    floor.order("SO-1060", [line("1", "P15-512-BLK", 20)], ago_s=1900, status="in_progress")
    floor.order("DO-2002", [line("1", "P14-128-BLU", 40, flow="distribution")], ago_s=1900, status="in_progress")
    floor.order(
        "PO-3003", [line("1", "CBL-USBC-1M", 8, flow="pos", serialized=False)], ago_s=1900, status="in_progress"
    )
    floor.order("SO-1061", [line("1", "P13-128-BLK", 60)], ago_s=1900, status="in_progress")
    for number in range(50):
        floor.order(f"SO-{1100 + number}", [line("1", "P13-128-BLK", 1 + number % 30)], ago_s=900 - number * 6)


def _benches(floor: Floor) -> None:
    def bench(name: str, ago_s: float, fields: dict[str, Any], **kiosk: Any) -> None:
        floor.kiosk(name, views={"1": floor.view(ago_s, **fields)}, **kiosk)

    held = {"operator": "E1", "order": "SO-1042", "scanned": 7, "pending": 5, "held": True,
            "last": {"signal": "alarm", "reason": "held"}}  # fmt: skip
    bench("dock-3", 120, held)
    bench("dock-5", 8, {"operator": "E2", "order": "SO-1057", "mode": "distribution", "scanned": 31, "pending": 9,
          "last": {"signal": "reject", "reason": "wrong_barcode"}})  # fmt: skip
    bench("dock-8", 2340, {"operator": "E3", "order": "SO-1049", "scanned": 4, "pending": 2,
          "last": {"signal": "saved", "reason": None}}, heard_s=2300,
          status={"state": "offline", "reason": "connection lost"}, health={"uplink": {"backlog": 0}})  # fmt: skip
    bench("dock-1", 1, {"operator": "E4", "order": "SO-1060", "scanned": 18, "pending": 2})
    bench("dock-2", 12, {"operator": "E5", "order": "DO-2002", "mode": "distribution", "state": "boxing",
          "scanned": 40, "pending": 0, "last": {"signal": "boxed", "reason": None},
          "box": {"id": "3F0C9A1B0000AA", "units": 40, "size": None, "label": None}})  # fmt: skip
    bench("dock-4", 5, {"operator": "E6", "order": "PO-3003", "mode": "pos", "state": "packing", "scanned": 8,
          "pending": 0, "last": {"signal": "prompt", "reason": None}})  # fmt: skip
    bench("dock-7", 3, {"operator": "E7", "order": "SO-1061", "scanned": 2, "pending": 58},
          health={"uplink": {"backlog": 3, "oldest_age_s": 2}})  # fmt: skip

    floor.box("dock-8", "SO-1049", [("1", "P13-128-BLK", _phones(740000, 4))], ago_s=2340, operator="E3")
    opened = {"order": "SO-1042", "revision": 1, "mode": None}
    floor.event("dock-3", "order.opened", opened, ago_s=900, operator="E1")
    green = [(HELD_IMEI, OTHER_IMEI), *_phones(900110, 3)]
    floor.box("dock-3", "SO-1042", [("1", "P13-256-GRN", green)], label="ZL880001", size=_LARGE, ago_s=500,
              operator="E1")  # fmt: skip
    floor.box("dock-3", "SO-1042", [("2", "P13-128-BLK", _phones(900120, 2)), ("3", "CBL-USBC-1M", [1])],
              state="open", ago_s=200, operator="E1")  # fmt: skip
    refused = {"reason": "not_on_order", "code": "490154203237518", "seen": None, "order": "SO-1042", "count": 1}
    floor.event("dock-3", "scan.rejected", refused, ago_s=190, operator="E1")
    held_event = {"verdict": "v-1", "order": "SO-1042", "unit": HELD_IMEI, "outcome": None,
                  "reason": "counted at dock-7 in SO-1031"}  # fmt: skip
    floor.event("dock-3", "order.held", held_event, ago_s=120, operator="E1")
    floor.roles("SO-1042", picking="E1", packing="E1")
    for number in range(9):
        wrong = {"reason": "wrong_barcode", "code": "8931440400123456789", "seen": "iccid", "order": "SO-1057",
                 "count": 1}  # fmt: skip
        floor.event("dock-5", "scan.rejected", wrong, ago_s=240 - number * 26, operator="E2")
    floor.box("dock-5", "SO-1057", [("1", "P14-128-BLU", _phones(700000, 31))], state="open", ago_s=300, operator="E2")
    floor.box("dock-1", "SO-1060", [("1", "P15-512-BLK", _phones(710000, 18))], state="open", ago_s=2, operator="E4")
    floor.box(
        "dock-2", "DO-2002", [("1", "P14-128-BLU", _phones(720000, 40))], state="created", ago_s=12, operator="E5"
    )
    floor.box("dock-4", "PO-3003", [("1", "CBL-USBC-1M", [8])], ago_s=30, label="ZL880007", operator="E6")
    floor.box("dock-7", "SO-1061", [("1", "P13-128-BLK", _phones(730000, 2))], state="open", ago_s=3, operator="E7")
