"""A day in the life, without the waiting: 25,000 scans, mistakes, and hours without a network in the middle."""

import itertools
import time
from collections.abc import Iterator

from bench.centre import Consumer, big_order, reference_messages, tell
from bench.kiosk import Kiosk
from bench.process import Usage, usage
from bench.results import Row, percentile
from bench.site import DEADLINE_S, TAC, Scratch
from bench.world import sign_in, world
from harness.codes import command, imei

__all__ = ["day", "measure", "order_ids"]

SCANS = 25_000
OUTAGE_SHARE = 4 / 7
"""At one scan a second, 25,000 are seven hours, and four of those have no network."""
UNITS = 40
"""Devices of an order, all in one box."""
WRONG_EVERY = 50
"""One scan in fifty is a mistake."""
SAMPLES = 25
SETTLE_S = 1.0


def order_ids(scans: int) -> list[str]:
    """As many orders as `scans` may need."""
    return [f"SO-{number:05d}" for number in range(scans // UNITS + 1)]


def day(scans: int) -> Iterator[tuple[str, frozenset[str]]]:
    """(what is scanned, the signals it may get), for ever. Box sizes part the two SAVEs, so that nothing bounces."""
    return itertools.islice(_mistaken(_right(scans)), scans)


def _right(scans: int) -> Iterator[tuple[str, frozenset[str]]]:
    serial = itertools.count()
    for order in order_ids(scans):
        yield order, _some("ok")
        for _ in range(UNITS):
            yield imei(TAC, next(serial)), _some("ok", "line_done", "order_done")
        yield command("SAVE"), _some("boxed")
        yield command("BOX", "M"), _some("ok")
        yield command("SAVE"), _some("saved")
        yield command("PACK"), _some("prompt")
        yield command("CONFIRM"), _some("confirmed")


def _mistaken(right: Iterator[tuple[str, frozenset[str]]]) -> Iterator[tuple[str, frozenset[str]]]:
    for number, scan in enumerate(right, 1):
        yield scan
        if number % (WRONG_EVERY - 1) == 0:
            # A barcode of no meaning, each time another one.
            yield f"https://example.com/{number}", _some("reject")


def _some(*signals: str) -> frozenset[str]:
    return frozenset(signals)


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    scans = SCANS // 10 if quick else SCANS
    orders = [big_order(order, UNITS) for order in order_ids(scans)]
    offline = range(int(scans * (1 - OUTAGE_SHARE) / 2), int(scans * (1 + OUTAGE_SHARE) / 2))
    seen: list[Usage] = []
    latencies: list[float] = []
    with world(scratch, "day", *orders) as (kiosk, consumer, broker):
        kiosk.start()
        sign_in(kiosk, orders[-1]["order"])
        for number, (code, allowed) in enumerate(day(scans)):
            if number == offline.start:
                consumer.close()
                broker.stop()
            elif number == offline.stop:
                broker.start()
                tell(broker.port, reference_messages(*orders))
                consumer = Consumer(broker.port)
            if number % (scans // SAMPLES) == 0:
                seen.append(usage(kiosk.pid))
            latencies.append(_scan(kiosk, code, allowed))
        drained_s = _drained(kiosk)
        time.sleep(SETTLE_S)
        seen.append(usage(kiosk.pid))
        consumer.close()
        kiosk.stop()
    return _rows(scans, seen, latencies, drained_s)


def _scan(kiosk: Kiosk, code: str, allowed: frozenset[str]) -> float:
    """Microseconds until its signal."""
    at = kiosk.write(code.encode())
    [shown] = kiosk.signals(1)
    if shown["signal"] not in allowed:
        raise RuntimeError(f"{code} gave {shown}, not one of {sorted(allowed)}")
    return float(shown["monotonic_ns"] - at) / 1e3


def _drained(kiosk: Kiosk) -> float:
    """Seconds until all is acknowledged, by the kiosk's own account."""
    began = time.monotonic()
    while kiosk.status()["health"]["uplink"]["backlog"]:
        if time.monotonic() > began + DEADLINE_S:
            raise TimeoutError("the kiosk does not get rid of its backlog")
        time.sleep(0.2)
    return time.monotonic() - began


def _rows(scans: int, seen: list[Usage], latencies: list[float], drained_s: float) -> list[Row]:
    """The details of closed orders are kept up to a number of entries, which half a day reaches: then no growth."""
    tenth = scans // 10
    early, half = seen[len(seen) // 10], seen[len(seen) // 2]
    name = f"a day of {scans:,} scans:"
    return [
        Row(what=f"{name} processor", unit="s", ours=[seen[-1].cpu_s - seen[0].cpu_s]),
        Row(what=f"{name} resident after a tenth", unit="MB", ours=[early.resident / 1e6]),
        Row(
            what=f"{name} resident at the end against at half", unit="MB",
            ours=[seen[-1].resident / 1e6], reference=[half.resident / 1e6], at_most=1.1,
            samples={"resident": [one.resident for one in seen], "cpu_s": [one.cpu_s for one in seen]},
        ),
        Row(what=f"{name} peak resident", unit="MB", ours=[seen[-1].peak / 1e6]),
        Row(what=f"{name} written", unit="MB", ours=[(seen[-1].written - seen[0].written) / 1e6]),
        Row(
            what=f"{name} p50 of the last tenth against the first", unit="us",
            ours=[percentile(latencies[-tenth:], 0.5)], reference=[percentile(latencies[:tenth], 0.5)],
        ),
        Row(
            what=f"{name} p99 of the last tenth against the first", unit="us",
            ours=[percentile(latencies[-tenth:], 0.99)], reference=[percentile(latencies[:tenth], 0.99)],
        ),
        Row(
            # One segment may be read and one file of the cache be written, just then.
            what=f"{name} descriptors more than after a tenth", unit="",
            ours=[seen[-1].descriptors - early.descriptors], at_most=2,
        ),
        Row(
            what=f"{name} threads more than after a tenth", unit="",
            ours=[seen[-1].threads - early.threads], at_most=0,
        ),
        Row(what=f"{name} backlog gone, after the last scan", unit="s", ours=[drained_s]),
    ]  # fmt: skip
