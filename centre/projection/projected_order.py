"""One order as the events of all kiosks change it, beside its manifest."""

__all__ = ["ProjectedOrder"]

CLOSED_BY_CENTRE = ("cancelled", "withdrawn")


class ProjectedOrder:
    """What events change in an order. `is_new`: the centre knows of it by events alone.

    `reopen` is the revision from which a packing counts again (`workflow.md#packed-orders-stay-closed`).
    """

    __slots__ = ("is_new", "name", "opened_at", "operators", "packed_at", "reopen", "status")

    def __init__(
        self,
        name: str,
        *,
        status: str = "open",
        opened_at: str | None = None,
        packed_at: str | None = None,
        reopen: int = 0,
        is_new: bool = True,
    ) -> None:
        self.name = name
        self.status = status
        self.opened_at = opened_at
        self.packed_at = packed_at
        self.reopen = reopen
        self.is_new = is_new
        self.operators: dict[str, str] = {}
        """By role: who was named by the events of this batch."""

    def open(self, time: str) -> None:
        """A kiosk opened it. The earliest time stays, since kiosks deliver late."""
        self.opened_at = time if self.opened_at is None else min(self.opened_at, time)
        self.begin()

    def begin(self) -> None:
        """A kiosk works on it, whether or not it is known when that began."""
        if self.status == "open":
            self.status = "in_progress"

    def pack(self, time: str, revision: int) -> bool:
        """A kiosk confirmed the packing; return whether that packed the order.

        A packing that a newer revision has undone changes nothing. An order that the centre has cancelled or withdrawn
        stays so, and shows when it was packed nevertheless.
        """
        if revision < self.reopen:
            return False
        self.packed_at = time if self.packed_at is None else min(self.packed_at, time)
        if self.status in (*CLOSED_BY_CENTRE, "packed"):
            return False
        self.status = "packed"
        return True
