"""What may be wrong at a bench: checks, the most urgent first, each with a sentence that says what to do. Pure."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple

from markupsafe import Markup

from centre.web.board.bench_facts import Bench, OpenHold
from centre.web.board.bench_reports import HealthReport
from centre.web.board.open_holds import hold_sentence
from centre.web.board.page_times import PageClock, duration_words
from centre.web.board.plain_words import plural, refusal_sentence

__all__ = ["STATES", "BenchCase", "BenchKind", "notes", "problems"]

STUCK_REFUSALS = 5
"""From this number of refusals within the window of the page, somebody should go and look."""
UNTOUCHED_S = 30 * 60
"""How long an open order may rest."""
BACKLOG_AGE_S = 120
"""How long a connected kiosk may keep events before somebody is told."""
DISK_FULL_S = 24 * 3600
HOT_C = 80.0


class BenchKind(StrEnum):
    """What a bench is doing, or what is wrong with it, the most urgent first."""

    HELD = "held"
    FAULT = "fault"
    FAILED = "failed"
    DUPLICATE_ID = "duplicate_id"
    OFFLINE = "offline"
    SCANNER = "scanner"
    STUCK = "stuck"
    WAITING = "waiting"
    CHECK = "check"
    UNKNOWN = "unknown"
    SCANNING = "scanning"
    BOXING = "boxing"
    PACKING = "packing"
    ASSIGNING = "assigning"
    READY = "ready"
    SIGNED_OUT = "signed_out"


STATES = frozenset((BenchKind.READY, BenchKind.ASSIGNING, BenchKind.SCANNING, BenchKind.BOXING, BenchKind.PACKING))
"""The states that a station may report; they are kinds by the same name."""


class BenchCase(NamedTuple):
    """A bench at the time of the page."""

    bench: Bench
    clock: PageClock
    offline_s: float

    @property
    def silent_s(self) -> float | None:
        """How long no health has come; None if that is unknown."""
        return self.clock.age_s(self.bench.health_received_at)

    @property
    def is_offline(self) -> bool:
        status = self.bench.status
        silent = self.silent_s
        return (status is not None and status.state != "online") or (silent is not None and silent > self.offline_s)


def problems(case: BenchCase) -> Iterator[tuple[BenchKind, str]]:
    """Yield what is wrong, with the sentence for it, the most urgent first."""
    for kind, check in _CHECKS:
        sentence = check(case)
        if sentence is not None:
            yield kind, sentence
    # What an offline kiosk last said of its devices is old news.
    if not case.is_offline and case.bench.health is not None:
        for sentence in _to_check(
            case.bench.health, is_signed_in=case.bench.view is not None and case.bench.view.signed_in
        ):
            yield BenchKind.CHECK, sentence


def _held(case: BenchCase) -> str | None:
    view = case.bench.view
    if view is None or not view.held:
        return None
    return hold_sentence(case.bench.hold or OpenHold(), view.order or "(unknown)")


def _fault(case: BenchCase) -> str | None:
    health = case.bench.health
    if case.is_offline or health is None or health.journal.fault is None:
        return None
    fault = health.journal.fault.rstrip(".")
    return f"No scan is taken: {fault}. Free space on its disk or replace its card, then scan again."


def _failed(case: BenchCase) -> str | None:
    status = case.bench.status
    if status is None or status.state != "failed":
        return None
    reason = (status.reason or "it gave no reason").rstrip(".")
    return f"The kiosk could not start: {reason}. Call a technician; the kiosk's log has the details."


def _duplicate_id(case: BenchCase) -> str | None:
    health = case.bench.health
    if case.is_offline or health is None or not health.uplink.duplicate_id:
        return None
    return f"Two kiosks use the name {case.bench.kiosk}. Switch the other one off, or give it its own name."


def _offline(case: BenchCase) -> str | None:
    status = case.bench.status
    if not case.is_offline or (status is not None and status.state == "failed"):
        return None
    since = case.clock.at(case.bench.heard_at)
    if status is not None and status.state == "offline" and status.reason is None:
        return Markup("It was stopped at {}. Start it again, or retire it if it is no longer used.").format(since)
    return Markup(
        "No word since {}. It goes on scanning, and its events come when it is back. Check its network and power."
    ).format(since)


def _scanner(case: BenchCase) -> str | None:
    health = case.bench.health
    if case.is_offline or health is None:
        return None
    gone = [device for device in health.devices(case.bench.station) if not device.connected]
    if not gone:
        return None
    names = " and ".join("the light" if device.name == "indicator" else f"scanner {device.name}" for device in gone)
    detail = f" ({gone[0].detail})" if gone[0].detail else ""
    verb = "does" if len(gone) == 1 else "do"
    subject = names[0].upper() + names[1:]
    return f"{subject} {verb} not answer{detail}. Check the plug: it is used again as soon as it is back."


def _stuck(case: BenchCase) -> str | None:
    refusals = case.bench.refusals
    if refusals is None or refusals.count < STUCK_REFUSALS:
        return None
    within = duration_words(max(60.0, case.clock.age_s(refusals.since) or 0.0))
    return f"{plural(refusals.count, 'refusal')} in {within}: {refusal_sentence(refusals.reason, refusals.seen)}"


def _waiting(case: BenchCase) -> str | None:
    view = case.bench.view
    age = case.clock.age_s(case.bench.changed_at)
    if view is None or view.order is None or age is None or age < UNTOUCHED_S or case.is_offline:
        return None
    rest = duration_words(age)
    if view.signed_in:
        return f"Nothing was scanned for {rest}. Finish order {view.order}, or scan CLOSE to put it down."
    return f"Order {view.order} was left open {rest} ago and nobody is signed in. Somebody has to finish it."


def _backlog(case: BenchCase) -> str | None:
    health = case.bench.health
    if case.is_offline or health is None:
        return None
    uplink = health.uplink
    if uplink.backlog == 0 or (uplink.oldest_age_s or 0) < BACKLOG_AGE_S:
        return None
    return (
        f"{plural(uplink.backlog, 'event')} not delivered, the oldest {duration_words(uplink.oldest_age_s or 0)} old. "
        "If that does not fall, look at the broker."
    )


def _unreadable(case: BenchCase) -> str | None:
    view = case.bench.view
    if view is not None and view.state in STATES:
        return None
    return "What this bench says of itself cannot be read. Upgrade the centre: its kiosk may be newer."


def _to_check(health: HealthReport, *, is_signed_in: bool) -> Iterator[str]:
    uplink = health.uplink
    if uplink.journal_rolled_back:
        yield "The kiosk runs on an old copy of its card. Find the newer card; this one must not be copied again."
    if health.journal.time_to_full_s is not None and health.journal.time_to_full_s < DISK_FULL_S:
        yield f"Its disk is full in {duration_words(health.journal.time_to_full_s)} at this rate. Free space on it."
    if health.operators_revision is None and not is_signed_in:
        yield "It has no operators list, so nobody can sign in. Bring in the operators."
    if uplink.refused:
        said = f": {uplink.last_refusal.rstrip('.')}" if uplink.last_refusal else ""
        yield f"The broker refuses {plural(uplink.refused, 'event')}{said}. Correct the rights of its account."
    if uplink.refused_subscriptions:
        yield f"The broker does not let it read {uplink.refused_subscriptions[0]}. Correct the rights of its account."
    if health.under_voltage:
        yield "Its power supply is too weak. Replace the supply and its cable."
    if health.temperature_c is not None and health.temperature_c >= HOT_C:
        yield f"It is {health.temperature_c:.0f} °C hot. Give it air, or move it."
    yield from health.errors


def notes(case: BenchCase) -> Iterator[str]:
    """Yield what is good to know of a bench, and no reason to go there."""
    health = case.bench.health
    if case.is_offline or health is None:
        return
    if not health.clock_synced:
        yield "Its clock is not set: no time server answers. Its events show the time of their receipt."
    if health.orders_not_cached:
        yield f"{plural(health.orders_not_cached, 'order')} did not fit into its memory. Cancel or withdraw old orders."


_CHECKS: tuple[tuple[BenchKind, Callable[[BenchCase], str | None]], ...] = (
    (BenchKind.HELD, _held),
    (BenchKind.FAULT, _fault),
    (BenchKind.FAILED, _failed),
    (BenchKind.DUPLICATE_ID, _duplicate_id),
    (BenchKind.OFFLINE, _offline),
    (BenchKind.SCANNER, _scanner),
    (BenchKind.STUCK, _stuck),
    (BenchKind.WAITING, _waiting),
    (BenchKind.CHECK, _backlog),
    (BenchKind.UNKNOWN, _unreadable),
)
