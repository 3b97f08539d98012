"""`kiosk-agent scanners` and `--learn` with the real devices of the guest."""

from collections.abc import Callable

from tests.rig.bench import SERIAL_PORT, Case, RigBench
from tests.rig.scanners import alt_keys, caps_keys, keys

__all__ = ["CASES"]

TEST_BARCODE = "Kiosk-Qwazym/0789#@"
"""What is printed. Written down here a second time: it must not change, it hangs on walls."""


def listed(bench: RigBench) -> str:
    """`kiosk-agent scanners` lists the real devices, as tables to paste"""
    out = bench.machine.run("kiosk-agent scanners")
    assert f'port = "{SERIAL_PORT}"' in out, out
    assert 'device = "/dev/input/by-id/usb-QEMU_QEMU_USB_Keyboard' in out, out
    assert '# or: vendor = "05e0"; product = "1200"; serial = "S1"' in out, out
    assert '# or: usb_port = "rig-several"' in out, out
    return f"{out.count('[[station.scanner]]')} devices"


def learnt(bench: RigBench) -> str:
    """`kiosk-agent scanners --learn` finds layout, terminator, Caps Lock and AIM setting"""
    bench.kiosk.systemctl("stop")
    try:
        for country in ("us", "de", "fr", "uk"):
            out = _learn(bench, _typing(bench, country, keys(f"{TEST_BARCODE}\r", country)))
            _has(out, f'layout = "{country}"', 'terminator = "\\r"', "identifiers: off", "Caps Lock: not pressed")
            out = _learn(bench, _typing(bench, country, keys(f"]C0{TEST_BARCODE}\t", country)))
            _has(out, f'layout = "{country}"', 'terminator = "\\t"', "identifiers: on (]C0)")
        out = _learn(bench, _typing(bench, "us", caps_keys(f"{TEST_BARCODE}\r")))
        _has(out, 'layout = "us"', "Caps Lock: pressed by the scanner itself")
        out = _learn(bench, _typing(bench, "de", keys(f"{TEST_BARCODE.swapcase()}\r", "de")))
        _has(out, 'layout = "de"', "set for Caps Lock on")
        out = _learn(bench, _typing(bench, "us", [*alt_keys(TEST_BARCODE), *keys("\r")]))
        _has(out, "layout: us, de, fr, uk are all right")
        out = _learn(bench, lambda: _send(bench, f"]C0{TEST_BARCODE}\r\n"))
        _has(out, f'port = "{SERIAL_PORT}"', 'terminator = "\\r\\n"', "identifiers: on (]C0)")
    finally:
        bench.kiosk.start()
        bench.kiosk.wait_connected("us", "line")
    return "4 layouts with Enter and Tab, AIM on and off; Caps Lock; Alt+numpad; serial"


def _learn(bench: RigBench, scan: Callable[[], None]) -> str:
    machine = bench.machine
    machine.run("rm -f /run/learn.log")
    machine.start("kiosk-agent scanners --learn", "/run/learn.log")
    machine.until("cat /run/learn.log", "Scan the test barcode")
    scan()
    return machine.until("cat /run/learn.log", "[[station.scanner]]")


def _typing(bench: RigBench, scanner: str, pressed: list[list[int]]) -> Callable[[], None]:
    return lambda: bench.scanners.type(scanner, pressed)


def _send(bench: RigBench, text: str) -> None:
    with bench.machine.serial() as line:
        line.sendall(text.encode())


def _has(out: str, *wanted: str) -> None:
    for text in wanted:
        assert text in out, f"no {text!r} in {out}"


CASES: list[Case] = [listed, learnt]
