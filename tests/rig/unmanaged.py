"""The kiosk in a guest without systemd."""

from pathlib import PurePosixPath

from tests.rig.kiosk import GuestKiosk

__all__ = ["AGENT", "UnmanagedKiosk"]

AGENT = PurePosixPath("/opt/kiosk-agent/bin/kiosk-agent")


class UnmanagedKiosk(GuestKiosk):
    """`kiosk-agent run`, started by the rig itself: nothing restarts it, and there is no systemd to ask about it."""

    def start(self) -> None:
        self.forget_health()
        self.machine.start(f"{AGENT} run", "/run/kiosk.log")
