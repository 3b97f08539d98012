"""The consumer around a measured kiosk: it runs `bench.consumer_process` and asks it what it has seen."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Self

from harness.kiosk import REPOSITORY
from harness.waiting import wait_for

__all__ = ["CountingConsumer", "Seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the consumer has: events, bytes of their documents, monotonic ns of the first and last, newest sequence."""

    count: int
    bytes: int
    first_ns: int
    last_ns: int
    through: int


class CountingConsumer:
    """The consumer's process. Context-managed."""

    def __init__(self, port: int, site: str, kiosk: str) -> None:
        command = [sys.executable, "-m", "bench.consumer_process", str(port), site, kiosk]
        self._process = subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.seen()  # answered once it is subscribed

    def seen(self) -> Seen:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the consumer has no pipes")
        process.stdin.write("?\n")
        process.stdin.flush()
        return Seen(**json.loads(process.stdout.readline()))

    def wait(self, count: int, *, deadline_s: float) -> Seen:
        """Wait until it has stored `count` events."""
        wait_for(lambda: self.seen().count >= count, f"{count} events at the consumer", deadline_s=deadline_s)
        return self.seen()

    def close(self) -> None:
        """End it. Calling it again is a no-op."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
