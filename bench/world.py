"""A kiosk in its world: broker, consumer, reference data, one signed-in operator."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from bench.centre import Broker, Consumer, reference_messages, tell
from bench.kiosk import Kiosk
from bench.site import BADGE, DEADLINE_S, Scratch

__all__ = ["sign_in", "world"]


def sign_in(kiosk: Kiosk, order: str) -> None:
    """The badge and the order, as soon as the kiosk knows both."""
    end = time.monotonic() + DEADLINE_S
    while True:
        signals = kiosk.scan(BADGE, order)
        if signals[-1] in ("ok", "again", "prompt"):
            return
        if time.monotonic() > end:
            raise TimeoutError(f"the order is not taken: {signals}")
        time.sleep(0.6)  # what was scanned last bounces


@contextmanager
def world(
    scratch: Scratch, name: str, *orders: dict[str, Any], consuming: bool = True, **kiosk_settings: Any
) -> Iterator[tuple[Kiosk, Consumer, Broker]]:
    """A broker with what the centre tells, a consumer that acks, and a kiosk, not yet started."""
    folder = scratch.folder(name)
    with ExitStack() as undo:
        broker = undo.enter_context(Broker(folder / "broker"))
        tell(broker.port, reference_messages(*orders))
        consumer = Consumer(broker.port)
        undo.callback(consumer.close)
        kiosk = Kiosk(folder / "kiosk", broker.port, **kiosk_settings)
        undo.callback(kiosk.close)
        yield kiosk, consumer, broker
