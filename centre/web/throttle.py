"""Limits of how often something may happen, for each of many keys, in bounded memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

__all__ = ["Throttle"]


class Bucket(Struct):
    """One key's allowance."""

    tokens: float
    filled_at: float


class Throttle:
    """A token bucket for each key: `burst` times at once, then one more every `interval_s`. Any thread may use it.

    The keys that were used last are remembered, `max_keys` of them. `monotonic` is a clock in seconds.
    """

    def __init__(
        self, *, burst: int, interval_s: float, monotonic: Callable[[], float], max_keys: int = 10_000
    ) -> None:
        self._burst = burst
        self._interval_s = interval_s
        self._monotonic = monotonic
        self._max_keys = max_keys
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, key: str) -> float:
        """Return for how many seconds this key must wait; 0 if it need not. Takes nothing."""
        with self._lock:
            bucket = self._filled(key)
            return 0.0 if bucket is None or bucket.tokens >= 1 else (1 - bucket.tokens) * self._interval_s

    def take(self, key: str) -> float:
        """Take one from the key's allowance. Return 0, or for how many seconds it must wait; then nothing is taken."""
        with self._lock:
            bucket = self._filled(key)
            if bucket is None:
                bucket = self._buckets[key] = Bucket(tokens=self._burst, filled_at=self._monotonic())
                if len(self._buckets) > self._max_keys:
                    self._buckets.popitem(last=False)
            if bucket.tokens < 1:
                return (1 - bucket.tokens) * self._interval_s
            bucket.tokens -= 1
            return 0.0

    def forget(self, key: str) -> None:
        """Give a key its whole allowance again."""
        with self._lock:
            self._buckets.pop(key, None)

    def __len__(self) -> int:
        return len(self._buckets)

    def _filled(self, key: str) -> Bucket | None:
        """Return the key's bucket as it is now, and mark it as used last."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return None
        self._buckets.move_to_end(key)
        now = self._monotonic()
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled_at) / self._interval_s)
        bucket.filled_at = now
        return bucket
