"""The topics that the centre retains messages on (`mqtt.md#topics-and-qos`). Pure."""

from agent.contract.topics import decode_order, encode

__all__ = [
    "blocked_topic",
    "boxes_topic",
    "counted_place",
    "counted_topic",
    "index_topic",
    "operators_topic",
    "order_of",
    "order_topic",
    "site_of",
]


def order_topic(site: str, order: str) -> str:
    """Return the topic of an order's manifest."""
    return f"kiosk/v1/{site}/order/{encode(order)}"


def counted_topic(site: str, order: str, part: str) -> str:
    """Return the topic of one part of what kiosks have packed for an order."""
    return f"kiosk/v1/{site}/counted/{encode(order)}/{encode(part)}"


def operators_topic(site: str) -> str:
    return f"kiosk/v1/{site}/reference/operators"


def boxes_topic(site: str) -> str:
    return f"kiosk/v1/{site}/reference/boxes"


def blocked_topic(site: str, part: str) -> str:
    return f"kiosk/v1/{site}/reference/blocked/{part}"


def index_topic(site: str, part: str) -> str:
    """Return the topic of one of the 16 parts of the order index."""
    return f"kiosk/v1/{site}/reference/orders/{part}"


def order_of(topic: str) -> str | None:
    """Return the order whose manifest belongs on a topic; None if the topic is no order's."""
    levels = topic.split("/")
    return decode_order(levels[4]) if len(levels) == 5 and levels[3] == "order" else None


def counted_place(topic: str) -> tuple[str, str] | None:
    """Return order and part of a topic of counted boxes; None for another topic."""
    levels = topic.split("/")
    if len(levels) != 6 or levels[3] != "counted":
        return None
    order = decode_order(levels[4])
    return None if order is None else (order, levels[5])


def site_of(topic: str) -> str | None:
    """Return the site of a topic; None if the topic is not of this contract."""
    levels = topic.split("/")
    return levels[2] if len(levels) > 3 and levels[:2] == ["kiosk", "v1"] else None
