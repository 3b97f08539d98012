"""Keyboard wedges: USB HID and uinput keyboards, as the kernel shows them."""

from tests.rig.bench import Case, RigBench, same
from tests.rig.scanners import alt_keys, caps_keys, keys, reports

__all__ = ["CASES"]


def _codes(name: str, count: int) -> list[str]:
    return [f"{name}-{number:03d}-ABCxyz" for number in range(count)]


def at_1_ms(bench: RigBench) -> str:
    """USB HID keyboard, a key event every 1 ms"""
    return _at_pace(bench, 1, 10)


def at_5_ms(bench: RigBench) -> str:
    """USB HID keyboard, a key event every 5 ms"""
    return _at_pace(bench, 5, 10)


def at_50_ms(bench: RigBench) -> str:
    """USB HID keyboard, a key event every 50 ms"""
    return _at_pace(bench, 50, 3)


def _at_pace(bench: RigBench, gap_ms: float, count: int) -> str:
    codes = _codes(f"P{gap_ms:g}", count)
    bench.kiosk.mark()
    for code in codes:
        bench.scanners.type("/dev/hidg0", reports(f"{code}\r"), gap_ms)
    same(bench.kiosk.wait_scans(count), [("hid1", code) for code in codes])
    return f"{count} of {count} scans"


def from_qemu(bench: RigBench) -> str:
    """QEMU's USB keyboard on xHCI, a key event every 40 ms of the host's time"""
    codes = _codes("QEMU", 5)
    bench.kiosk.mark()
    for code in codes:
        bench.machine.qmp.type(f"{code}\n")
    same(bench.kiosk.wait_scans(5), [("wedge", code) for code in codes])
    return "5 of 5 scans"


def two_at_once(bench: RigBench) -> str:
    """Two USB HID keyboards at once, their keys interleaved"""
    count = 10
    left, right = _codes("LEFT", count), _codes("RIGHT", count)
    bench.kiosk.mark()
    for one, other in zip(left, right, strict=True):
        bench.scanners.type_at_once([("/dev/hidg0", reports(f"{one}\r"), 3), ("/dev/hidg1", reports(f"{other}\r"), 3)])
    found = bench.kiosk.wait_scans(2 * count)
    same([text for scanner, text in found if scanner == "hid1"], left)
    same([text for scanner, text in found if scanner == "hid2"], right)
    return f"{2 * count} of {2 * count} scans, none mixed"


def caps_lock(bench: RigBench) -> str:
    """A scanner that presses Caps Lock before and after each scan"""
    return _typed(bench, "us", "Caps-0123-ABCxyz", caps_keys("Caps-0123-ABCxyz\r"))


def auto_repeat(bench: RigBench) -> str:
    """Auto-repeat (value 2) adds no character"""
    pressed = []
    for code, value in keys("REPEAT-0123\r"):
        pressed += [[code, value]] if value != 1 else [[code, 1], [code, 2], [code, 2]]
    return _typed(bench, "us", "REPEAT-0123", pressed)


def layouts(bench: RigBench) -> str:
    """Scanners set to de, fr and uk"""
    for country in ("de", "fr", "uk"):
        text = f"]C0-{country}-Qwazym/0789#@"
        _typed(bench, country, f"-{country}-Qwazym/0789#@", keys(f"{text}\r", country))
    return "each types Qwazym/0789#@ behind ]C0"


def alt_numpad(bench: RigBench) -> str:
    """Every character as Alt and its number on the numeric pad"""
    return _typed(bench, "us", "Alt|numpad/{42}~", [*alt_keys("Alt|numpad/{42}~"), *keys("\r")])


def several_nodes(bench: RigBench) -> str:
    """One scanner with two event nodes, its keys spread over both"""
    bench.kiosk.mark()
    parts = [("several-a", keys("BOTH-"), 2), ("several-b", keys("NODES-1\r"), 2)]
    bench.scanners.type_at_once(parts, one_by_one=True)
    same(bench.kiosk.wait_scans(1), [("several", "BOTH-NODES-1")])
    return "one scan"


def flooded(bench: RigBench) -> str:
    """A reader held up until the kernel drops events: unreadable, and the next scan is right"""
    bench.kiosk.mark()
    pid = bench.kiosk.pid
    bench.machine.run(f"kill -STOP {pid}")
    bench.scanners.flood("us", keys("HALF-" + "0123456789" * 60 + "\r"))
    bench.machine.run(f"kill -CONT {pid}")
    same(bench.kiosk.wait_scans(1), [("us", "unreadable")])
    bench.scanners.type("us", keys("AFTER-THE-FLOOD\r"))
    same(bench.kiosk.wait_scans(2), [("us", "unreadable"), ("us", "AFTER-THE-FLOOD")])
    return "one unreadable, then right again"


def _typed(bench: RigBench, scanner: str, text: str, pressed: list[list[int]]) -> str:
    bench.kiosk.mark()
    bench.scanners.type(scanner, pressed)
    same(bench.kiosk.wait_scans(1), [(scanner, text)])
    return "right"


CASES: list[Case] = [
    at_1_ms,
    at_5_ms,
    at_50_ms,
    from_qemu,
    two_at_once,
    caps_lock,
    auto_repeat,
    layouts,
    alt_numpad,
    several_nodes,
    flooded,
]
