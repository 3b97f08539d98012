"""Devices that come and go, and those that are none of ours."""

import os
import re
import time

from tests.rig.bench import Case, RigBench, same
from tests.rig.kiosk import PATIENCE_S
from tests.rig.scanners import keys, reports

__all__ = ["CASES"]

GRABBED_WITHIN_S = 1.0
REPLUGS = int(os.environ.get("KIOSK_RIG_REPLUGS", "50"))
PROMISED_S = 2.0


def serial_line(bench: RigBench) -> str:
    """USB serial adapter: 50 scans in one burst, CR and CR LF"""
    codes = [f"SERIAL-{number:03d}-ABCxyz" for number in range(50)]
    bench.kiosk.mark()
    with bench.machine.serial() as line:
        for number, code in enumerate(codes):
            line.sendall(f"{code}\r{number % 2 * chr(10)}".encode())
            bench.machine.pause(0.21)  # more than five refusals a second are journaled as one
        same(bench.kiosk.wait_scans(50), [("line", code) for code in codes])
    return "50 of 50 scans"


def replugged_in_a_scan(bench: RigBench) -> str:
    """USB keyboard and serial adapter unplugged in the middle of a scan, plugged into another port"""
    kiosk, qmp = bench.kiosk, bench.machine.qmp
    started_at = float(bench.machine.run("cut -d' ' -f1 /proc/uptime"))
    repeated = 0
    for number in range(REPLUGS):
        kiosk.mark()
        with bench.machine.serial() as line:
            qmp.type("HALF")
            line.sendall(b"HALF")
            qmp.unplug("kbd0")
            qmp.unplug("ftdi0")
        _unreadable(bench, "line", "wedge")
        kiosk.wait_connected("wedge", "line", state=False)
        keyboard_port, serial_port = (("3", "4"), ("5", "6"), ("1", "2"))[number % 3]
        qmp.plug_keyboard(port=keyboard_port)
        qmp.plug_serial(port=serial_port)
        kiosk.wait_connected("wedge", "line")
        with bench.machine.serial() as line:
            kiosk.mark()
            line.sendall(f"BACK-{number}\r".encode())
            same(kiosk.wait_scans(1), [("line", f"BACK-{number}")])
        repeated += _scanned_at_last(bench, f"BACK-{number}")
    slowest = max(_seconds_until_back(bench, started_at))
    assert slowest <= PROMISED_S, f"back after {slowest:.2f} s"
    return (
        f"{REPLUGS} times, back at most {slowest:.2f} s after the kernel; {repeated} scans held up by the rig, repeated"
    )


def swapped_ports(bench: RigBench) -> str:
    """Two USB keyboards of one kind swap their ports in the middle of a scan; their serial numbers tell them apart"""
    kiosk, scanners = bench.kiosk, bench.scanners
    for number in range(10):
        kiosk.mark()
        scanners.type_at_once([("/dev/hidg0", reports("HALF"), 2), ("/dev/hidg1", reports("HALF"), 2)])
        scanners.unplug(0)
        scanners.unplug(1)
        _unreadable(bench, "hid1", "hid2")
        kiosk.wait_connected("hid1", "hid2", state=False)
        scanners.plug(0, (number + 1) % 2)
        scanners.plug(1, number % 2)
        kiosk.wait_connected("hid1", "hid2")
        kiosk.mark()
        scanners.type("/dev/hidg0", reports(f"FIRST-{number}\r"))
        scanners.type("/dev/hidg1", reports(f"SECOND-{number}\r"))
        same(kiosk.wait_scans(2), [("hid1", f"FIRST-{number}"), ("hid2", f"SECOND-{number}")])
    return "10 times, none mixed up"


def foreign_keyboard(bench: RigBench) -> str:
    """A keyboard that is not in the configuration is never opened; a grabbed one never reaches the console"""
    bench.machine.start("setsid sh -c 'stty raw -echo < /dev/tty1; exec cat /dev/tty1'", "/run/console.keys")
    bench.scanners.make("foreign", 0x2222, 1)
    node = bench.machine.until("grep -l 'Rig scanner foreign' /sys/class/input/event*/device/name").split("/")[4]
    bench.machine.pause(2)  # long enough for a driver that looks for devices every half second
    opened = bench.machine.run(f"ls -l /proc/{bench.kiosk.pid}/fd")
    assert "/dev/input/event" in opened
    assert not re.search(rf"/{node}$", opened, re.MULTILINE), f"{node} is open"
    bench.kiosk.mark()
    for scanner in ("us", "de", "several-a"):
        bench.scanners.type(scanner, keys("grabbed\r"))
    bench.scanners.type("/dev/hidg0", reports("grabbed\r"))
    bench.machine.qmp.type("grabbed\n")
    bench.kiosk.wait_scans(5)
    bench.scanners.type("foreign", keys("foreign\r"))
    console = bench.machine.until("cat /run/console.keys", "foreign")
    bench.scanners.drop("foreign")
    assert console.strip() == "foreign", f"the console has {console!r}"
    return "its keys are on the console, those of five scanners are not"


def later_node(bench: RigBench) -> str:
    """A scanner's second event node appears after the first: opened within a second, and one scan is one scan"""
    kiosk, scanners, machine = bench.kiosk, bench.scanners, bench.machine
    waits = []
    for number, after_s in enumerate((0, 0.05, 0.2, 0.5, 1, 3)):
        for name in ("several-a", "several-b"):
            scanners.drop(name)
        kiosk.wait_connected("several", state=False)
        machine.put("/run/node.sh", _WATCH_NODE)
        machine.run("rm -f /run/node.log")
        machine.start(f"sh /run/node.sh {kiosk.pid}", "/run/node.log")
        scanners.make("several-a", 0x1111, 9, "rig-several/input0")
        machine.pause(after_s)
        scanners.make("several-b", 0x1111, 9, "rig-several/input1")
        there, opened = machine.until("grep opened /run/node.log").split()[1:]
        waits.append(float(opened) - float(there))
        kiosk.wait_connected("several")
        machine.pause(0.5)  # a scan that is typed while its node is opened is unreadable
        kiosk.mark()
        parts = [("several-a", keys("LATER-"), 2), ("several-b", keys(f"NODE-{number}\r"), 2)]
        scanners.type_at_once(parts, one_by_one=True)
        same(kiosk.wait_scans(1), [("several", f"LATER-NODE-{number}")])
    assert max(waits) <= GRABBED_WITHIN_S, f"opened after {waits} s"
    return f"{len(waits)} times, 0 to 3 s after the first; opened at most {max(waits):.2f} s after the kernel"


# When the node is there, and when the process $1 has it open; both in seconds since the boot.
_WATCH_NODE = """
until file=$(grep -l 'Rig scanner several-b' /sys/class/input/event*/device/name); do :; done
there=$(cut -d' ' -f1 /proc/uptime)
file=${file%/device/name}; node=/dev/input/${file##*/}
until ls -l /proc/$1/fd | grep -q " $node$"; do :; done
echo opened $there $(cut -d' ' -f1 /proc/uptime)
"""


def _unreadable(bench: RigBench, *scanners: str) -> None:
    """Each of the half-read scans is told as unreadable, and nothing else is told."""
    until = time.monotonic() + PATIENCE_S
    found = bench.kiosk.scans()
    while {scanner for scanner, _ in found} != {*scanners}:
        assert time.monotonic() < until, f"only {found}"
        time.sleep(0.2)
        found = bench.kiosk.scans()
    # A half that was held up on its way from the host is cut twice.
    same([text for _, text in found], ["unreadable"] * len(found))


def _scanned_at_last(bench: RigBench, code: str) -> int:
    """Scan with QEMU's keyboard, which types from outside: where the host paused in a scan, once more. How often."""
    for again in range(5):
        bench.kiosk.mark()
        bench.machine.qmp.type(f"{code}\n")
        if bench.kiosk.wait_scans(1) == [("wedge", code)]:
            return again
        bench.machine.pause(1)
    raise AssertionError(f"{code} never came: {bench.kiosk.scans()}")


def _seconds_until_back(bench: RigBench, since_s: float) -> list[float]:
    """From the kernel's word that a device is there to the agent's that it is connected."""
    log = bench.machine.run("journalctl -b -o short-monotonic --no-pager")
    there: dict[str, float] = {}
    waits = []
    for at, text in re.findall(r"^\[ *([\d.]+)\] (.*)$", log, re.MULTILINE):
        if float(at) < since_s:
            continue
        if "input: QEMU QEMU USB Keyboard as" in text:
            there["wedge"] = float(at)
        elif "now attached to ttyUSB" in text:
            there["line"] = float(at)
        elif (match := re.search(r"scanner connected .*scanner=(wedge|line)", text)) and match[1] in there:
            waits.append(float(at) - there.pop(match[1]))
    return waits


CASES: list[Case] = [serial_line, foreign_keyboard, later_node, swapped_ports, replugged_in_a_scan]
