"""Limits how many log lines of one kind are written, and counts the rest. For lines that a peer can cause."""

import threading

from msgspec import Struct

__all__ = ["LogLimit"]

_KINDS_MAX = 64
_OTHERS = "others"


class _Window(Struct):
    began: float
    written: int = 0
    left_out: int = 0


class LogLimit:
    """At most `most` lines in `window_s` of each kind. Thread-safe; time is handed in.

    A peer may make up kinds: all beyond the first 64 in a window are one kind.
    """

    def __init__(self, *, most: int = 10, window_s: float = 60.0) -> None:
        self._most = most
        self._window_s = window_s
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()

    def allows(self, kind: str, now: float) -> bool:
        """Return whether a line of this kind may be written now; count it otherwise."""
        with self._lock:
            if kind not in self._windows and len(self._windows) >= _KINDS_MAX:
                self._windows = {
                    one: window
                    for one, window in self._windows.items()
                    if window.left_out or now - window.began < self._window_s
                }
                kind = kind if len(self._windows) < _KINDS_MAX else _OTHERS
            window = self._windows.get(kind)
            if window is None or (now - window.began >= self._window_s and window.left_out == 0):
                window = self._windows[kind] = _Window(now)
            if window.written >= self._most:
                window.left_out += 1
                return False
            window.written += 1
            return True

    def take_left_out(self, now: float) -> list[tuple[str, int]]:
        """Return each kind whose window is over, and how many of its lines were left out. Call it now and then."""
        with self._lock:
            over = [
                (kind, window.left_out)
                for kind, window in self._windows.items()
                if window.left_out and now - window.began >= self._window_s
            ]
            for kind, _ in over:
                del self._windows[kind]
        return over
