"""An uplink as a kiosk has it, with short waiting times. Everything it reports is collected."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from agent.contract.topics import Inbound
from agent.uplink.event_source import SourceHead
from agent.uplink.uplink import Uplink
from agent.uplink.uplink_settings import BrokerSettings, Confirm, DeliverySettings, Timing
from tests.uplink.journals import Stored, StoredJournal

__all__ = ["QUICK", "KioskUplink", "LockedJournal", "running"]

T = TypeVar("T")

DEADLINE_S = 10.0
QUICK = Timing(
    ack_wait_s=0.05,
    retry_s=0.01,
    retry_max_s=0.05,
    backoff_s=0.01,
    backoff_max_s=0.02,
    duplicate_wait_s=0.2,
    connect_timeout_s=0.5,
    fetch_timeout_s=0.3,
    view_patience_s=0.05,
    source_retry_s=0.02,
    rollback_repeat_s=0.05,
    poll_s=0.2,
)


class LockedJournal(StoredJournal):
    """A journal that one thread may write while another reads."""

    def __init__(self, journal: str = "AAAAAAAA", *, events: int = 0) -> None:
        self.lock = threading.RLock()
        super().__init__(journal, events=events)

    def commit(self, *, type_: str = "scan.accepted", padding: int = 0) -> Stored:
        with self.lock:
            return super().commit(type_=type_, padding=padding)

    def start_over(self, journal: str) -> None:
        with self.lock:
            super().start_over(journal)

    def head(self) -> SourceHead:
        with self.lock:
            return super().head()

    def read(self, after: int, limit: int) -> Sequence[Stored]:
        with self.lock:
            return super().read(after, limit)

    def event_id(self, journal: str, sequence: int) -> str | None:
        with self.lock:
            return super().event_id(journal, sequence)


class KioskUplink:
    """An uplink with its journal. `until` waits for the uplink's thread, and fails after ten seconds."""

    def __init__(
        self,
        *ports: int,
        journal: LockedJournal | None = None,
        broker: BrokerSettings | None = None,
        protocol: int = 5,
        confirm: Confirm = Confirm.CONSUMER,
        max_inflight: int = 100,
        ack_timeout_s: float = 60.0,
        timing: Timing = QUICK,
    ) -> None:
        self.journal = journal or LockedJournal()
        self.inbound: list[Inbound] = []
        self.delivered: list[int] = []
        self.rolled_back: list[str] = []
        self._changed = threading.Condition()
        self.uplink = Uplink(
            broker=broker
            or BrokerSettings(
                hosts=tuple(("127.0.0.1", port) for port in ports),
                protocol=protocol,
                username="dock-3",
                password="secret",
                tls=False,
            ),
            delivery=DeliverySettings(confirm=confirm, max_inflight=max_inflight, ack_timeout_s=ack_timeout_s),
            site="rtm1",
            kiosk="dock-3",
            version="1.2.3",
            source=self.journal,
            on_inbound=self._collect(self.inbound),
            on_delivered=self._collect(self.delivered),
            on_rolled_back=self._collect(self.rolled_back),
            on_change=self._notify,
            next_connection=itertools.count(1).__next__,
            timing=timing,
            chance=lambda: 1.0,
        )

    def _collect(self, into: list[T]) -> Callable[[T], None]:
        def collect(value: T) -> None:
            into.append(value)
            self._notify()

        return collect

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, DEADLINE_S), self.uplink.health()

    @property
    def error(self) -> str:
        return self.uplink.health().situation.error or ""


@contextmanager
def running(kiosk: KioskUplink) -> Iterator[KioskUplink]:
    kiosk.uplink.start()
    try:
        yield kiosk
    finally:
        kiosk.uplink.stop(reason="test over", timeout_s=0.02)
