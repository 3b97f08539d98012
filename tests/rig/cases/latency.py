"""From the last key to the light, by the kernel's own time stamps on both sides."""

import re
from pathlib import Path

from harness.codes import command, imei
from harness.warehouse import line
from tests.rig.bench import Case, RigBench
from tests.rig.kiosk import BADGE
from tests.rig.scanners import keys

__all__ = ["CASES"]

ROUNDS = 100
GREEN, BARE = 27, 12
_TRACING = "/sys/kernel/tracing"


def key_to_light(bench: RigBench) -> str:
    """Last key event → green line high, beside a bare evdev → gpiozero loop"""
    machine, kiosk, scanners = bench.machine, bench.kiosk, bench.scanners
    scanners.make("bare", 0x3333, 1)
    machine.put("/run/bare_loop.py", (Path(__file__).parents[1] / "guest/bare_loop.py").read_text("utf-8"))
    environ = "GPIOZERO_PIN_FACTORY=lgpio LG_WD=/run"
    machine.start(f"env {environ} /opt/kiosk-agent/bin/python /run/bare_loop.py 'Rig scanner bare'", "/run/bare.log")
    machine.until("cat /run/bare.log", "ready")
    kiosk.publish_operator()
    phone = imei("49015420", 900)
    kiosk.publish_order("RIG-9", line("1", "PHONE", 1, units=[[phone]]))
    kiosk.settle()
    scanners.type("us", keys(f"{BADGE}\r"))
    machine.pause(1)
    _trace(bench)
    for _ in range(ROUNDS):
        for scanner, text in (("us", "RIG-9"), ("bare", ""), ("us", command("CLOSE"))):
            scanners.type(scanner, keys(f"{text}\r"), breath_s=0)
            machine.pause(0.15)
        scanners.type("bare", keys("x"), breath_s=0)
        machine.pause(0.8)  # until the signal of CLOSE is over: dark comes between two greens
    trace = machine.get(f"{_TRACING}/trace").decode()
    machine.run(f"echo 0 > {_TRACING}/tracing_on; pkill -f bare_loo[p]; true")
    scanners.drop("bare")
    base = int(machine.run("cat /sys/devices/platform/gpio-sim.*/gpio/gpiochip*/base"))
    ours, bare = _delays(trace, base)
    ratio_50, ratio_99 = _at(ours, 50) / _at(bare, 50), _at(ours, 99) / _at(bare, 99)
    return (
        f"p50 {_at(ours, 50):.1f} ms, p99 {_at(ours, 99):.1f} ms; bare {_at(bare, 50):.1f} and {_at(bare, 99):.1f} ms; "
        f"ratio {ratio_50:.2f} and {ratio_99:.2f} ({len(ours)} and {len(bare)} scans)"
    )


def _trace(bench: RigBench) -> None:
    """Enter pressed on any keyboard, and every change of a GPIO line, into the kernel's trace."""
    bench.machine.run(f"""
        mountpoint -q {_TRACING} || mount -t tracefs tracefs {_TRACING}
        cd {_TRACING} && echo mono > trace_clock && echo 8192 > buffer_size_kb
        echo 'p:rig/key input_event type=%si:u32 code=%dx:u32 value=%cx:s32' > kprobe_events
        echo 'type == 1 && code == 28 && value == 1' > events/rig/key/filter
        echo 1 > events/rig/key/enable && echo 1 > events/gpio/gpio_value/enable
        echo > trace && echo 1 > tracing_on
    """)


def _delays(trace: str, base: int) -> tuple[list[float], list[float]]:
    """Milliseconds from Enter to the line's rise: the kiosk's, the bare loop's. Scans come in turn, see above."""
    events = re.findall(r"\s([\d.]+): (?:(key): .*|gpio_value: (\d+) set (\d))$", trace, re.MULTILINE)
    delays: tuple[list[float], list[float]] = ([], [])
    number, waiting = -1, 0.0
    for at, key, pin, value in events:
        if key:
            number, waiting = number + 1, float(at)
        elif waiting and value == "1" and number % 3 < 2 and int(pin) == base + (GREEN, BARE)[number % 3]:
            delays[number % 3].append((float(at) - waiting) * 1000)
            waiting = 0.0
    return delays


def _at(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


CASES: list[Case] = [key_to_light]
