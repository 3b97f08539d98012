"""A day without its pauses: 25,000 scans, mistakes among them, and hours without a network in the middle."""

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack

from bench.consumer import CountingConsumer
from bench.process import Usage, usage, wait_idle
from bench.results import Row, percentile
from bench.scratch import Scratch
from bench.world import DEADLINE_S, KIOSK, SITE, TAC, big_order, drained, measured, open_order, publish, wait_ready
from harness.codes import command, imei
from harness.station import OperatorStation

__all__ = ["day", "measure", "order_ids"]

SCANS = 25_000
OUTAGE_SHARE = 4 / 7
"""At one scan a second, 25,000 are seven hours, and four of those have no network."""
UNITS = 40
"""Devices of an order, all in one box."""
WRONG_EVERY = 50
"""How many scans there are to one mistake."""
SAMPLES = 25


def order_ids(scans: int) -> list[str]:
    """Return as many order ids as `scans` may need."""
    return [f"SO-{number:05d}" for number in range(scans // UNITS + 1)]


def day(scans: int) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what is scanned and the signals that it may get. No scan repeats the one before, so none is a bounce."""
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
            # A barcode that means nothing, a new one each time.
            yield f"https://example.com/{number}", _some("reject")


def _some(*signals: str) -> frozenset[str]:
    return frozenset(signals)


def measure(scratch: Scratch, *, quick: bool = False) -> list[Row]:
    scans = SCANS // 10 if quick else SCANS
    orders = [big_order(order, UNITS) for order in order_ids(scans)]
    offline = range(int(scans * (1 - OUTAGE_SHARE) / 2), int(scans * (1 + OUTAGE_SHARE) / 2))
    seen: list[Usage] = []
    latencies: list[float] = []
    with ExitStack() as undo:
        at = undo.enter_context(measured(scratch, "day", *orders))
        at.kiosk.start()
        wait_ready(at)
        open_order(at, orders[-1]["order"])
        for number, (code, allowed) in enumerate(day(scans)):
            if number == offline.start:
                at.consumer.close()
                at.broker.stop()
            elif number == offline.stop:
                at.broker.start()
                publish(at.broker, orders)
                undo.enter_context(CountingConsumer(at.broker.port, SITE, KIOSK))
            if number % (scans // SAMPLES) == 0:
                seen.append(usage(at.kiosk.pid))
            latencies.append(_scan(at.station, code, allowed))
        last_scan = time.monotonic()
        drained(at.kiosk)
        drained_s = time.monotonic() - last_scan
        wait_idle(at.kiosk.pid)
        seen.append(usage(at.kiosk.pid))
        at.kiosk.stop()
    return _rows(scans, seen, latencies, drained_s)


def _scan(station: OperatorStation, code: str, allowed: frozenset[str]) -> float:
    """Scan a code; return the microseconds until its signal, which must be one of `allowed`."""
    sent_ns = station.scanner().send(code)
    shown = station.indicator.next(deadline_s=DEADLINE_S)
    if shown.signal not in allowed:
        raise RuntimeError(f"{code} gave {shown}, not one of {sorted(allowed)}")
    return (shown.at_ns - sent_ns) / 1e3


def _rows(scans: int, seen: list[Usage], latencies: list[float], drained_s: float) -> list[Row]:
    """What the kiosk remembers of closed orders is bounded, and half a day fills it: after that nothing may grow."""
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
            # At that moment a segment may be read and a file of the cache be written.
            what=f"{name} descriptors more than after a tenth", unit="",
            ours=[seen[-1].descriptors - early.descriptors], at_most=2,
        ),
        Row(
            what=f"{name} threads more than after a tenth", unit="",
            ours=[seen[-1].threads - early.threads], at_most=0,
        ),
        Row(what=f"{name} backlog gone, after the last scan", unit="s", ours=[drained_s]),
    ]  # fmt: skip
