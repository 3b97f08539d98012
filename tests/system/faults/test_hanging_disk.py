"""A disk that does not answer, neither with success nor with an error."""

import os
import signal
import time

import pytest

from harness.world import OK, World
from tests.system.faults.shim import Shim

WRITES_S = 3.0
"""Housekeeping writes once a second, so that by then something waits for the disk."""
AT_ONCE_S = 2.5
"""Less than the 3 s for which a part that waits for the disk is waited for at a stop."""
SHOWN_S = 0.5
"""A signal would be shown by then."""


@pytest.mark.parametrize("at", ["a stop", "a scan", "housekeeping"])
def test_offline_is_published_before_anything_waits_for_the_disk(own: World, shim: Shim, at: str) -> None:
    """Rule: mqtt.md#status."""
    own.start()
    order, units = own.simple(2)
    station = own.opened(order)
    assert station.scan(units[0]) == OK
    own.delivered()
    seen = len(own.centre.statuses)
    shim.hang()
    try:
        if at == "a scan":
            station.scanners["left"].send(units[1])
            time.sleep(SHOWN_S)
            assert not station.indicator.left(), "no success before the disk has answered"
        if at == "housekeeping":
            time.sleep(WRITES_S)
        os.kill(own.kiosk.pid, signal.SIGTERM)
        offline = own.centre.wait_status("offline", after=seen, deadline_s=AT_ONCE_S)
        assert offline.reason == "signal SIGTERM", "not the will, which the broker publishes when the kiosk is gone"
        assert own.kiosk.alive(), "it waits for the disk now"
    finally:
        shim.go_on()
    assert own.kiosk.wait() == 0
    assert own.kiosk.run("journal", "verify").returncode == 0
