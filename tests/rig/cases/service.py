"""The kiosk as `make install` leaves it: the unit, the account, the hardening, the restarts."""

import re
import time

from tests.rig.bench import Case, RigBench, same
from tests.rig.kiosk import PATIENCE_S
from tests.rig.scanners import keys

__all__ = ["CASES"]

WATCHDOG_S, ABORT_S = 15.0, 5.0


def as_installed(bench: RigBench) -> str:
    """The installed unit: active, READY=1 sent, watchdog fed, its own account, exposure"""
    kiosk, machine = bench.kiosk, bench.machine
    assert kiosk.show("ActiveState") == "active"
    assert kiosk.show("Type") == "notify"
    fed = kiosk.show("WatchdogTimestampMonotonic")
    machine.until(f"test $(systemctl show -p WatchdogTimestampMonotonic --value kiosk-agent) -gt {fed}")
    status = machine.run(f"cat /proc/{kiosk.pid}/status")
    user = machine.run(f"ps -o user:20= -p {kiosk.pid}").strip()
    assert user == "kiosk-agent"
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE), "it has capabilities"
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)
    exposure = machine.run("systemd-analyze security --no-pager kiosk-agent | tail -1", check=False)
    level = re.search(r"([\d.]+) OK", exposure)
    assert level is not None, exposure
    assert float(level[1]) <= 1.5, exposure
    return f"as {user}, exposure {level[1]}"


def plugged_in_later(bench: RigBench) -> str:
    """Devices of a kind that was not there at the start are allowed: the driver's group is known to the unit"""
    classes = bench.machine.run("cat /proc/devices")
    groups = [
        name for name in ("input", "ttyACM", "ttyUSB", "gpiochip") if re.search(rf"^ *\d+ {name}$", classes, re.M)
    ]
    same(groups, ["input", "ttyACM", "ttyUSB", "gpiochip"])
    return "ttyACM too, though no such device has been plugged in"


def locked_down(bench: RigBench) -> str:
    """Console lock-down: no getty, no SysRq, no Ctrl-Alt-Del"""
    machine = bench.machine
    active = machine.run("systemctl is-active getty@tty1 getty@tty2 serial-getty@ttyS0", check=False).split()
    same(active, ["inactive"] * 3)
    same(machine.run("cat /proc/sys/kernel/sysrq /proc/sys/kernel/ctrl-alt-del").split(), ["0", "0"])
    assert machine.run("systemctl is-enabled ctrl-alt-del.target", check=False).strip() == "masked"
    return "as it should be"


def hangs(bench: RigBench) -> str:
    """A main loop that hangs (SIGSTOP) is restarted by the watchdog, and scanning goes on"""
    kiosk = bench.kiosk
    before, pid = int(kiosk.show("NRestarts")), kiosk.pid
    started = time.monotonic()
    kiosk.forget_health()
    bench.machine.run(f"kill -STOP {pid}")
    wanted = f"test $(systemctl show -p NRestarts --value kiosk-agent) -gt {before}"
    bench.machine.until(f"{wanted} && systemctl is-active kiosk-agent", timeout_s=4 * PATIENCE_S)
    took = time.monotonic() - started
    assert kiosk.pid != pid
    kiosk.wait_connected("us")
    kiosk.mark()
    bench.scanners.type("us", keys("AFTER-A-HANG\r"))
    same([text for _, text in kiosk.wait_scans(1)], ["AFTER-A-HANG"])
    return f"active again after {took:.0f} s (WatchdogSec={WATCHDOG_S:.0f}, then the start)"


def killed(bench: RigBench) -> str:
    """kill -9: restarted"""
    kiosk = bench.kiosk
    pid = kiosk.pid
    kiosk.forget_health()
    bench.machine.run(f"kill -9 {pid}")
    bench.machine.until(f"systemctl is-active kiosk-agent && ! test -d /proc/{pid}", "active", timeout_s=PATIENCE_S)
    assert kiosk.pid != pid
    kiosk.wait_connected("us")
    return "active again"


def refused_configuration(bench: RigBench) -> str:
    """A refused configuration ends with exit code 1 and is not restarted"""
    kiosk, machine = bench.kiosk, bench.machine
    good = machine.get("/etc/kiosk-agent/agent.toml")
    machine.put("/etc/kiosk-agent/agent.toml", b'colour = "red"\n' + good)
    try:
        kiosk.systemctl("restart")
        machine.until("systemctl is-failed kiosk-agent", "failed")
        before = kiosk.show("NRestarts")
        machine.pause(3)
        same([kiosk.show("ExecMainStatus"), kiosk.show("ActiveState")], ["1", "failed"])
        assert kiosk.show("NRestarts") == before
    finally:
        machine.put("/etc/kiosk-agent/agent.toml", good)
        kiosk.start()
        kiosk.wait_connected("us")
    return "failed, and left alone"


def damaged_journal(bench: RigBench) -> str:
    """A damaged journal ends with exit code 3 and is not restarted"""
    kiosk, machine = bench.kiosk, bench.machine
    kiosk.systemctl("stop")
    machine.run("cp -a /var/lib/kiosk-agent/journal /run/journal")
    try:
        # Into the header of a segment that has sound events behind it.
        segment = "$(ls /var/lib/kiosk-agent/journal/*.seg | head -1)"
        machine.run(f"printf XXXXXXXX | dd of={segment} bs=1 seek=4 conv=notrunc status=none")
        machine.run("systemctl start kiosk-agent", check=False, timeout_s=150)
        machine.until("systemctl is-failed kiosk-agent", "failed")
        same([kiosk.show("ExecMainStatus")], ["3"])
    finally:
        machine.run("rm -rf /var/lib/kiosk-agent/journal; cp -a /run/journal /var/lib/kiosk-agent/journal")
        kiosk.start()
        kiosk.wait_connected("us")
    return "failed, and left alone"


def credential(bench: RigBench) -> str:
    """The broker's password comes as a credential that only the service can read; without one it starts as well"""
    kiosk, machine = bench.kiosk, bench.machine
    good = machine.get("/etc/kiosk-agent/agent.toml")
    machine.put("/etc/credstore/kiosk-agent.mqtt-password", "secret\n", 0o600)
    machine.put("/etc/kiosk-agent/agent.toml", good.replace(b"tls = false\n", b'tls = false\nusername = "dock-3"\n'))
    try:
        kiosk.systemctl("restart")
        kiosk.wait_connected("us")
        handed = machine.run("stat -c '%U %a' /run/credentials/kiosk-agent.service/mqtt-password").strip()
        # systemd 257 leaves it to root and admits the account by an ACL, whose mask is shown as the group's rights.
        assert handed in ("kiosk-agent 400", "root 440"), handed
    finally:
        machine.run("rm /etc/credstore/kiosk-agent.mqtt-password")
        machine.put("/etc/kiosk-agent/agent.toml", good)
        kiosk.systemctl("restart")
        kiosk.wait_connected("us")
    return handed


CASES: list[Case] = [
    as_installed,
    plugged_in_later,
    locked_down,
    hangs,
    killed,
    refused_configuration,
    damaged_journal,
    credential,
]
