"""The kiosk in a guest without systemd."""

from pathlib import PurePosixPath

from tests.rig.kiosk import Kiosk

__all__ = ["AGENT", "UnmanagedKiosk"]

AGENT = PurePosixPath("/opt/kiosk-agent/bin/kiosk-agent")


class UnmanagedKiosk(Kiosk):
    """`kiosk-agent run`, started by the rig itself: nobody restarts it, and systemd is not asked about it."""

    def start(self) -> None:
        self.forget()
        self.machine.start(f"{AGENT} run", "/run/kiosk.log")
