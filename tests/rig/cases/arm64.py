"""The same wheel and the same drivers on arm64: one keyboard wedge, one light, a journal."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.codes import command, imei
from harness.warehouse import line
from tests.rig.bench import same
from tests.rig.kiosk import BADGE
from tests.rig.machine import Machine
from tests.rig.recording import Part
from tests.rig.unmanaged import AGENT, UnmanagedKiosk

__all__ = ["CASES", "SCANNER", "ArmBench", "Light"]

SCANNER = {"name": "wedge", "driver": "evdev", "vendor": "0627", "product": "0001"}

ORDER, PHONE = "RIG-1", imei("49015420", 1)
KEY_GAP_S = 0.05
SHOWN_S = 2.5
"""For how long the light is looked at: longer than any signal that is tried, and than Python takes in this guest."""


class Light(Protocol):
    """The real values of the pins that the light is on."""

    def after(self, act: Callable[[], None], seconds: float) -> Sequence[Part]:
        """Act, and answer the light's colours for so long afterwards, with how many milliseconds each was seen."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmBench:
    """One booted arm64 guest, configured; its kiosk does not run before the case that starts it."""

    machine: Machine
    kiosk: UnmanagedKiosk
    light: Light

    def scan(self, text: str) -> Sequence[Part]:
        """Scan with the USB keyboard, without a pause in it; what the light does meanwhile and then."""
        return self.light.after(lambda: self.machine.qmp.type(f"{text}\n", KEY_GAP_S), SHOWN_S)


def installed(bench: ArmBench) -> str:
    """The wheel with its compiled dependencies: `kiosk-agent --version`, on this processor"""
    processor = bench.machine.run("uname -m").strip()
    same([processor], ["aarch64"])
    compiled = bench.machine.run(f"{AGENT.parent}/python -c '{_COMPILED}'").split()
    return f"{bench.machine.run(f'{AGENT} --version').strip()}, {processor}; {', '.join(compiled)}"


def checked(bench: ArmBench) -> str:
    """`kiosk-agent check --hardware` opens the keyboard, the light and the buttons"""
    bench.machine.until("ls /dev/input/event*")  # USB takes its time
    said = bench.machine.run(f"{AGENT} check --hardware").splitlines()
    works = [line.split(None, 1)[1] for line in said if line.startswith("ok")]
    for what in ("scanner wedge", "indicator gpio", "button save", "button undo"):
        assert any(what in line for line in works), f"{what}: {said}"
    return "; ".join(line.removeprefix("station 1, ") for line in works[1:])


def refused(bench: ArmBench) -> str:
    """The daemon runs; an unknown code of the USB keyboard is refused: red, and its event at the broker"""
    bench.kiosk.start()
    bench.kiosk.wait_connected("wedge")
    bench.kiosk.mark()
    shown = bench.scan("NOBODY-Knows-This")
    ((scanner, code),) = bench.kiosk.wait_scans(1)
    assert scanner == "wedge"
    assert code.startswith("badge:"), f"{code}: while nobody is signed in, it may be a badge"
    same(_colours(shown)[-1:], ["red"])
    return f"`reject`: {_told(shown)}"


def signed_in(bench: ArmBench) -> str:
    """A badge signs in: `ok`, then the steady light of ready"""
    bench.kiosk.publish_operator()
    bench.kiosk.settle()
    shown = bench.scan(BADGE)
    bench.kiosk.wait_view(signed_in=True)
    same(_colours(shown)[-3:], ["green", "dark", "blue"])
    return f"`ok`: {_told(shown)}"


def boxed(bench: ArmBench) -> str:
    """A phone of an order, SAVE, SAVE: `boxed`, then `saved`; the confirmed box is in the journal"""
    bench.kiosk.publish_order(ORDER, line("1", "PHONE", 1, units=[[PHONE]]))
    bench.kiosk.settle()
    for text in (ORDER, PHONE):
        bench.scan(text)
    created = bench.scan(command("SAVE"))
    bench.kiosk.wait_view(state="boxing")
    confirmed = bench.scan(command("SAVE"))
    bench.kiosk.wait_view(state="scanning")
    # Green to its end, where the light of an unconfirmed box goes on changing.
    same(_colours(bench.light.after(lambda: None, SHOWN_S)), ["green"])
    assert "blue" in _colours(created), created
    (box,) = _journaled(bench, "kiosk.box.confirmed.v1")
    same(box["contents"][0]["units"], [PHONE])
    return f"`boxed`: {_told(created)}; `saved`: {_told(confirmed)}"


_COMPILED = (
    "import importlib.metadata as m, evdev, immutables, lgpio, msgspec, pydantic_core; "
    'print(*(f"{n}-{m.version(n)}" for n in ("evdev", "immutables", "lgpio", "msgspec", "pydantic-core")))'
)


def _journaled(bench: ArmBench, kind: str) -> list[dict[str, list[dict[str, list[str]]]]]:
    exported = bench.machine.run(f"{AGENT} journal export").splitlines()
    events = [json.loads(line) for line in exported if line.startswith("{")]
    return [event["data"] for event in events if event["type"] == kind]


def _colours(shown: Sequence[Part]) -> list[str]:
    return [colour for colour, _ in shown]


def _told(shown: Sequence[Part]) -> str:
    return ", ".join(colour if ms is None else f"{colour} {ms:.0f} ms" for colour, ms in shown)


CASES: list[Callable[[ArmBench], str]] = [installed, checked, refused, signed_in, boxed]
