"""A real centre and its broker, around a database that is given; and a kiosks' side that waits for acknowledgements."""

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct
from msgspec.json import Decoder

from bench.centre_bench.kiosk_load import Message
from bench.centre_bench.wire import Wire
from bench.process import wait_idle
from bench.world import ROOT, SITE, TUNED_BROKER
from harness.broker import Broker
from harness.centre_process import CentreProcess

__all__ = ["ACKS", "CentreSite", "acknowledged", "paused", "running_centre", "wait_acknowledged"]

ACKS = f"{ROOT}/agent/+/ack"
_READY_S = 120.0


class CentreSite(NamedTuple):
    """A centre that runs and is idle, and its broker."""

    centre: CentreProcess
    broker: Broker


@contextmanager
def running_centre(
    folder: Path, url: str, settings: Mapping[str, Mapping[str, object]] | None = None
) -> Iterator[CentreSite]:
    """Start a broker and a centre on a database; yield them once everything that is retained is published."""
    with (
        Broker(folder / "broker", settings=TUNED_BROKER) as broker,
        CentreProcess(folder / "centre", [broker.port], sites=[SITE], database_url=url, settings=settings) as centre,
    ):
        centre.spawn()
        centre.wait_ready(deadline_s=_READY_S)
        wait_idle(centre.pid)
        yield CentreSite(centre, broker)
        centre.stop()


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """Stop a process; let it go on at the end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class _Ack(Struct):
    through: str


_ACK = Decoder(_Ack)


def acknowledged(wire: Wire, timeout_s: float) -> Iterator[tuple[str, int]]:
    """Yield (kiosk, through) of the acknowledgements that come within a number of seconds."""
    for topic, payload in wire.read(timeout_s):
        yield topic.split("/")[4], int(_ACK.decode(payload).through)


def wait_acknowledged(wire: Wire, messages: Sequence[Message], *, deadline_s: float) -> None:
    """Wait until all these events are acknowledged."""
    missing = {one.kiosk: one.sequence for one in messages}
    end = time.monotonic() + deadline_s
    while missing:
        for kiosk, through in acknowledged(wire, 1.0):
            if through >= missing.get(kiosk, through + 1):
                del missing[kiosk]
        if time.monotonic() > end:
            raise TimeoutError(f"not acknowledged: {missing}")
