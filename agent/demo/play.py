"""The demo that runs by itself: it types the script's words and checks every signal."""

import time
from collections.abc import Iterable

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.demo.console import Console
from agent.demo.kiosk import DemoKiosk
from agent.demo.script import Scene, Step
from agent.demo.words import Scan, typed_of

__all__ = ["PlayFailed", "play"]

_AFTER_REFUSAL_S = 0.25
"""Beyond five refusals a second the kiosk counts them in one event (mqtt.md#counted-refusals): here each is its own."""


class PlayFailed(Exception):
    """A step of the script was answered differently."""


def play(kiosk: DemoKiosk, console: Console, scenes: Iterable[Scene], *, pace_s: float, bounce_s: float) -> bool:
    """Play the scenes; return False if the kiosk was stopped in the middle.

    `pace_s` is how long each step rests, so that a person can follow. A code that is repeated within `bounce_s` would
    be a bounce, so the play waits; steps that are `hasty` do not. Raises PlayFailed.
    """
    before, before_at = "", 0.0
    for scene in scenes:
        console.say(f"\n== {scene.title}")
        for step in scene.steps:
            if step.say:
                console.say(f"       {step.say}")
            if not step.hasty:
                kiosk.rest(pace_s)
                if step.typed == before:
                    kiosk.rest(bounce_s - (time.monotonic() - before_at))
            if kiosk.is_over or not _take(kiosk, step):
                return False
            before, before_at = step.typed, time.monotonic()
            if step.reason is not None:
                kiosk.rest(_AFTER_REFUSAL_S)
            if not step.hasty and not kiosk.settle() and not kiosk.is_over:
                raise PlayFailed(f"{step.typed}: the centre does not acknowledge the events")
    return True


def _take(kiosk: DemoKiosk, step: Step) -> bool:
    """Scan what the step says; return False if the kiosk was stopped meanwhile."""
    alarms = kiosk.alarms
    scan = typed_of(step.typed, kiosk.shelf())
    if not isinstance(scan, Scan):
        raise PlayFailed(f"{step.typed}: this is no scan")
    answer = kiosk.scan(step.typed, scan.code)
    if answer is None:
        if kiosk.is_over:
            return False
        raise PlayFailed(f"{step.typed}: no signal came")
    if (answer.signal, answer.reason) != (step.signal, step.reason):
        expected, got = _words(step.signal, step.reason), _words(answer.signal, answer.reason)
        raise PlayFailed(f"{step.typed}: expected {expected}, got {got}")
    if step.alarm and not kiosk.wait_alarm(alarms):
        raise PlayFailed(f"{step.typed}: the centre's verdict did not come")
    return True


def _words(signal: Signal, reason: Reason | None) -> str:
    return signal if reason is None else f"{signal} ({reason})"
