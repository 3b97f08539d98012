"""One box as the events of its journal build it up, and the pieces in it."""

from collections.abc import Iterable
from enum import StrEnum

from agent.contract.event_values import Content, Size
from agent.contract.manifest import unit_key

__all__ = ["BoxStage", "Piece", "ProjectedBox"]


class BoxStage(StrEnum):
    """What a box is in its life."""

    OPEN = "open"
    CREATED = "created"
    CONFIRMED = "confirmed"
    VOIDED = "voided"


class Piece:
    """A device, or a number of equal pieces, in a box. `id` is None until it is stored."""

    __slots__ = ("id", "is_changed", "line", "position", "quantity", "sku", "unit", "unit_key")

    def __init__(
        self,
        *,
        line: str,
        sku: str,
        quantity: int,
        unit: str | None = None,
        key: str | None = None,
        position: int | None = None,
        id: int | None = None,
    ) -> None:
        self.id = id
        self.line = line
        self.sku = sku
        self.quantity = quantity
        self.unit = unit
        self.unit_key = key
        self.position = position
        self.is_changed = False


class ProjectedBox:
    """One box of one journal. Its methods change it as an event does.

    `pieces` holds what the events of a batch need: all pieces of the box, or only those that the batch adds. `removed`
    are the ids of stored pieces that are gone. `id` is None until the box is stored.
    """

    __slots__ = (
        "confirmed_at",
        "height_mm",
        "id",
        "is_changed",
        "journal_id",
        "label",
        "length_mm",
        "mode",
        "name",
        "order",
        "pieces",
        "removed",
        "size",
        "state",
        "voided_by",
        "width_mm",
    )

    def __init__(self, journal_id: int, name: str, order: str, id: int | None = None) -> None:
        self.id = id
        self.journal_id = journal_id
        self.name = name
        self.order = order
        self.pieces: list[Piece] = []
        self.removed: list[int] = []
        self.forget()
        self.is_changed = id is None

    def forget(self) -> None:
        """Become a box of which nothing is known but its name and order. `pieces` stay."""
        self.mode: str | None = None
        self.state = BoxStage.OPEN
        self.size: str | None = None
        self.length_mm: int | None = None
        self.width_mm: int | None = None
        self.height_mm: int | None = None
        self.label: str | None = None
        self.confirmed_at: str | None = None
        self.voided_by: str | None = None
        self.is_changed = True

    def enter(self, state: BoxStage, mode: str | None) -> None:
        """Change the state. A kiosk's event about a box that was voided in the centre brings it back."""
        if self.state != state or self.voided_by is not None or mode not in (None, self.mode):
            self.state = state
            self.voided_by = None
            self.mode = mode or self.mode
            self.is_changed = True

    def set_size(self, code: str | None, size: Size | None, label: str | None) -> None:
        """Set the size's code and label; the dimensions are known if `size` is."""
        self.size = code
        self.length_mm = size.length_mm if size else None
        self.width_mm = size.width_mm if size else None
        self.height_mm = size.height_mm if size else None
        self.label = label
        self.is_changed = True

    def set_confirmed(self, time: str | None) -> None:
        self.confirmed_at = time
        self.is_changed = True

    # -- contents ----------------------------------------------------------------------------------------------------

    def add(self, piece: Piece) -> None:
        self.pieces.append(piece)

    def remove(self, line: str, key: str | None, quantity: int) -> None:
        """Take out one unit, or a number of pieces of a line: the newest first. What is not there is ignored."""
        for piece in reversed(self.pieces[:]):
            if key is not None:
                if piece.unit_key == key:
                    self._take_out(piece)
                    return
            elif piece.line == line and piece.unit is None:
                taken = min(quantity, piece.quantity)
                quantity -= taken
                if taken == piece.quantity:
                    self._take_out(piece)
                else:
                    piece.quantity -= taken
                    piece.is_changed = True
                if not quantity:
                    return

    def clear(self) -> None:
        """Take out everything."""
        for piece in self.pieces[:]:
            self._take_out(piece)

    def correct(self, contents: Iterable[Content]) -> None:
        """Make the contents those that a box event tells; pieces that are right stay as they are."""
        told = {content.line: content for content in contents}
        for piece in self.pieces[:]:
            if piece.line not in told or (piece.unit is None) != (not told[piece.line].units):
                self._take_out(piece)
        for content in told.values():
            if content.units:
                self._correct_units(content)
            else:
                self._correct_quantity(content)

    def _correct_units(self, content: Content) -> None:
        missing = {unit_key(unit): unit for unit in content.units}
        for piece in [piece for piece in self.pieces if piece.line == content.line]:
            if missing.pop(piece.unit_key or "", None) is None:
                self._take_out(piece)
        for key, unit in missing.items():
            self.add(Piece(line=content.line, sku=content.sku, quantity=1, unit=unit, key=key))

    def _correct_quantity(self, content: Content) -> None:
        excess = sum(piece.quantity for piece in self.pieces if piece.line == content.line) - content.quantity
        if excess > 0:
            self.remove(content.line, None, excess)
        elif excess < 0:
            self.add(Piece(line=content.line, sku=content.sku, quantity=-excess))

    def _take_out(self, piece: Piece) -> None:
        self.pieces.remove(piece)
        if piece.id is not None:
            self.removed.append(piece.id)
