"""A GPIO chip that goes away under the kiosk. Last of all: nothing has a light afterwards."""

from tests.rig.bench import Case, RigBench
from tests.rig.scanners import keys

__all__ = ["CASES"]


def chip_vanishes(bench: RigBench) -> str:
    """The indicator's chip vanishes: scanning goes on, health shows it"""
    kiosk = bench.kiosk
    bench.machine.run("echo 0 > /sys/kernel/config/gpio-sim/rig/live", timeout_s=30)
    kiosk.mark()
    for number in range(3):
        bench.scanners.type("us", keys(f"IN-THE-DARK-{number}\r"))
    found = kiosk.wait_scans(3)
    assert [text for _, text in found] == [f"IN-THE-DARK-{number}" for number in range(3)]
    indicator = kiosk.wait_indicator(connected=False)
    assert kiosk.show("ActiveState") == "active"
    return f"health: {indicator['detail']}"


CASES: list[Case] = [chip_vanishes]
