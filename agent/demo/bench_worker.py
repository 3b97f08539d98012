"""One simulated bench that packs orders until it is stopped, with the mistakes that people make.

`python -m agent.demo.bench_worker KIOSK OPERATOR BROKER_PORT CENTRE_URL FOLDER`, with the centre's token on standard
input. It works until standard input ends.
"""

import itertools
import random
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.contract.printed_codes import Verb, command_text
from agent.demo.centre_rest import CentreRest
from agent.demo.kiosk import DemoKiosk
from agent.demo.sample import badge_of, phone_of
from agent.runtime import log

__all__ = ["BenchWorker", "main"]

_PIECES = (1, 2, 2, 3, 3, 4, 6)
_PACE_S = (0.4, 2.5)
_BETWEEN_ORDERS_S = (1.0, 4.0)
_MISTAKE = 0.12
_SERIALS = 1_000_000
"""How many phones there are of one model (TAC)."""


class BenchWorker:
    """Makes one order after the other, and scans what it wants. `chance` decides about pace, sizes and mistakes."""

    def __init__(self, kiosk: DemoKiosk, rest: CentreRest, name: str, operator: str, chance: random.Random) -> None:
        self._kiosk = kiosk
        self._rest = rest
        self._name = name
        self._operator = operator
        self._chance = chance
        self._serials = itertools.count(chance.randrange(_SERIALS // 2))

    def work(self) -> None:
        """Work until the kiosk is over."""
        if not self._kiosk.wait_ready():
            return
        badge = badge_of(self._operator)
        assert badge is not None
        for number in itertools.count(1):
            self._kiosk.rest(self._chance.uniform(*_BETWEEN_ORDERS_S))
            order = f"{self._name.upper()}-{number:04d}"
            units = [phone_of(next(self._serials) % _SERIALS) for _ in range(self._chance.choice(_PIECES))]
            self._rest.put(f"/orders/{order}", self._manifest(order, units))
            if not self._kiosk.wait_order(order):
                return
            for code in (badge, *self._scans(order, units)):
                self._kiosk.rest(self._chance.uniform(*_PACE_S))
                if self._kiosk.scan(code, code) is None:
                    return

    def _manifest(self, order: str, units: list[str]) -> dict[str, object]:
        roles = dict.fromkeys(("picking", "packing", "shipping"), self._operator)
        line = {
            "line": "1",
            "sku": "P13-128-BLK",
            "name": "Phone 13 128 GB black, used",
            "quantity": len(units),
            "flow": "used",
            "serialized": True,
            "units": [[unit] for unit in units],
        }
        return {"order": order, "type": "normal", "operators": roles, "lines": [line]}

    def _scans(self, order: str, units: list[str]) -> Iterator[str]:
        yield order
        for unit in units:
            if self._chance.random() < _MISTAKE:
                yield unit[:-1] + str((int(unit[-1]) + 1) % 10)  # a smudged label
            yield unit
            if self._chance.random() < _MISTAKE:
                yield unit  # the same phone again
        yield from (command_text(verb, "") for verb in (Verb.SAVE, Verb.SAVE, Verb.PACK, Verb.CONFIRM))


def main(arguments: list[str], read_line: Callable[[], str] = sys.stdin.readline) -> int:
    """Run one bench."""
    name, operator, port, url, folder = arguments
    log.configure()
    rest = CentreRest(url, read_line().strip())
    kiosk = DemoKiosk(
        Path(folder) / name, int(port), name=name, orders=0, bounce_ms=0, on_signal=lambda _: None,
        is_told=lambda _: True,
    )  # fmt: skip
    worker = BenchWorker(kiosk, rest, name, operator, random.Random(name))
    threading.Thread(target=worker.work, name="bench", daemon=True).start()

    def stop_at_end() -> None:
        while read_line():
            """What comes is of no interest, but its end is."""
        kiosk.stop()

    threading.Thread(target=stop_at_end, name="end", daemon=True).start()
    kiosk.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
