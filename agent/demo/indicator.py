"""The demonstration's indicator: the player that drives real lamps, with a lamp that is drawn."""

from collections.abc import Callable

from agent.contract.reasons import Reason
from agent.contract.signals import Colour, Signal, Steady
from agent.demo.board import Board
from agent.drivers.indicators.player import Player

__all__ = ["DrawnIndicator"]


class _DrawnLamp:
    """Light and buzzer as the board has them. The bar is not drawn here: the picture shows the counts themselves."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def set(self, colour: Colour, buzz: bool) -> None:
        self._board.lamp(colour, buzz)

    def bar(self, fraction: float) -> None:
        pass

    def close(self) -> None:
        self._board.lamp(Colour.OFF, False)


class DrawnIndicator(Player):
    """Tells the board each signal, and lets the lamp play it. `on_signal` is called after each one."""

    def __init__(self, board: Board, *, on_signal: Callable[[], None]) -> None:
        super().__init__(_DrawnLamp(board), name="drawn lamp")
        self._board = board
        self._on_signal = on_signal

    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        super().show(signal, reason, pending=pending, monotonic_ns=monotonic_ns)
        self._board.signalled(signal, reason, pending)
        self._on_signal()

    def steady(self, light: Steady) -> None:
        super().steady(light)
        self._board.steady(light)

    def offline(self, is_offline: bool) -> None:
        super().offline(is_offline)
        self._board.offline(is_offline)
