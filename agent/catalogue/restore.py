"""Filling the catalogue from the cache at the start."""

from agent.catalogue.catalogue import Catalogue
from agent.catalogue.stored import Loaded, StoredReference
from agent.contract.refused import MessageRefused

__all__ = ["restore"]


def _put(catalogue: Catalogue, stored: StoredReference) -> None:
    # Imported here: it takes pydantic with it, which a kiosk that starts empty does not need yet.
    from agent.contract.messages import blocked_of, boxes_of, operators_of, order_index_of

    payload = stored.source.encode()
    topic = f"cache: {stored.name}"
    match stored.name.split("/", 1):
        case ["operators"]:
            catalogue.put_operators(operators_of(payload, topic=topic))
        case ["boxes"]:
            catalogue.put_boxes(boxes_of(payload, topic=topic))
        case ["orders"]:
            catalogue.put_order_index(order_index_of(payload, topic=topic))
        case ["blocked", part]:
            catalogue.put_blocked(blocked_of(part, payload, topic=topic))
        case _:
            raise MessageRefused(topic, ["not a reference that this version knows"])


def restore(catalogue: Catalogue, loaded: Loaded) -> list[str]:
    """Fill an empty catalogue; what of it was refused, a line each (the broker has it all).

    Nothing of it counts as a change to be cached again, and no order is withdrawn.
    """
    refused = []
    for stored in loaded.references:
        try:
            _put(catalogue, stored)
        except MessageRefused as exc:
            refused.append(str(exc))
    for order in loaded.orders:
        catalogue.restore_order(order)
    catalogue.take_changes()
    return refused
