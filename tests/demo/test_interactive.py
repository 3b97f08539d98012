"""What is typed becomes scans, one at a time, until the input or the person ends it."""

import io
from collections.abc import Iterable

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.demo.console import Console
from agent.demo.interactive import type_in
from tests.demo.fake_kiosk import FakeDemoKiosk

OK: tuple[Signal, Reason | None] = (Signal.OK, None)
HINT = "next   nobody is signed in: scan a badge: badge e7 · badge e8 · badge e9"


def shown(kiosk: FakeDemoKiosk, lines: Iterable[bytes]) -> list[str]:
    out = io.StringIO()
    with Console(out) as console:
        type_in(kiosk, console, lines)
    return out.getvalue().splitlines()


def test_every_line_is_a_scan_and_the_last_one_needs_no_end() -> None:
    kiosk = FakeDemoKiosk([OK] * 2)
    assert shown(kiosk, [b"  BADGE-7 \n", b" \n", b"\n", b"4006381333931"]) == [HINT] * 3
    assert kiosk.codes == ["BADGE-7", "4006381333931"]


def test_a_remark_is_no_scan() -> None:
    kiosk = FakeDemoKiosk([OK])
    lines = shown(kiosk, [b"badge nobody\n", b"SO-1\n"])
    assert lines == [HINT, "       nobody here is NOBODY: badge e7, badge e8 or badge e9", HINT]
    assert kiosk.codes == ["SO-1"]


def test_leaving_ends_it_and_so_does_the_kiosk() -> None:
    kiosk = FakeDemoKiosk([OK] * 9)
    shown(kiosk, [b"SO-1\n", b"quit\n", b"SO-2\n"])
    assert kiosk.codes == ["SO-1"]
    kiosk = FakeDemoKiosk([OK])
    shown(kiosk, [b"SO-1\n", b"SO-2\n", b"SO-3\n"])
    assert kiosk.codes == ["SO-1", "SO-2"]


def test_control_characters_and_odd_bytes_are_scanned_as_they_are() -> None:
    kiosk = FakeDemoKiosk([OK])
    shown(kiosk, [b"ab\x1d\xff\x07\n"])
    assert kiosk.codes == ["ab\x1d\udcff\x07"]
