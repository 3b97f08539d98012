"""Keyboard wedges."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.drivers.scanners.evdev import KeyboardMatch, is_grabbed, key_events, overhear
from agent.errors import DeviceError
from tests.drivers.benches import (
    EV_KEY,
    EV_SYN,
    LEFT_SHIFT,
    SYN_DROPPED,
    SYN_REPORT,
    EvdevBench,
    PipeNode,
    event,
    key,
    keyboard,
    keys_of,
    run,
    turns,
    until,
)

KEY_A, PAD_0, PAD_2, PAD_9, LEFT_ALT, LEFT_CTRL, RIGHT_BRACE, KEY_DOWN = 30, 82, 80, 73, 56, 29, 27, 108
DROPPED = event(EV_SYN, SYN_DROPPED, 0)
REPORT = event(EV_SYN, SYN_REPORT, 0)


@pytest.fixture
def bench() -> Iterator[EvdevBench]:
    bench = EvdevBench()
    yield bench
    bench.close()


def test_node_is_grabbed_before_anything_is_read(bench: EvdevBench) -> None:
    async def test() -> None:
        heard = bench.start()
        assert all(node.grabbed for node in bench.nodes.values())
        assert heard.statuses == [(True, "/dev/input/event3")]

    run(test())


def test_keyboard_that_is_not_configured_is_never_opened(bench: EvdevBench) -> None:
    """(`settings.md#keyboard-scanner`)"""

    async def test() -> None:
        bench.present.append(keyboard(9, name="Desk keyboard", vendor=0x046D, usb_port="usb-0:1.4"))
        bench.start()
        assert bench.opened == ["/dev/input/event3"]

    run(test())


def test_letters_signs_and_gs_are_read(bench: EvdevBench) -> None:
    async def test() -> None:
        heard = bench.start()
        gs = key(LEFT_CTRL, 1) + key(RIGHT_BRACE, 1) + key(RIGHT_BRACE, 0) + key(LEFT_CTRL, 0)
        bench.send_events(keys_of(b"]C101a") + gs + keys_of(b"8002\r"))
        assert await heard.until_frames(1) == [(b"]C101a\x1d8002", True)]

    run(test())


DOWN = key(KEY_DOWN, 1) + key(KEY_DOWN, 0)


def test_a_key_that_types_nothing_is_not_dropped(bench: EvdevBench) -> None:
    """(`scanning.md#keys-that-type-nothing`)"""

    async def test() -> None:
        heard = bench.start()
        bench.send_events(keys_of(b"21ABC126") + DOWN + keys_of(b"10LOT7\r"))
        ((data, _),) = await heard.until_frames(1)
        with pytest.raises(UnicodeDecodeError):
            data.decode()

    run(test())


def test_a_key_that_stands_for_gs() -> None:
    """(`scanning.md#what-stands-for-gs`)"""
    bench = EvdevBench(gs_key=KEY_DOWN)

    async def test() -> None:
        heard = bench.start()
        bench.send_events(keys_of(b"]C121ABC126") + DOWN + keys_of(b"10LOT7\r"))
        assert await heard.until_frames(1) == [(b"]C121ABC126\x1d10LOT7", True)]

    run(test())
    bench.close()


def test_line_feed_as_terminator_is_the_enter_key() -> None:
    bench = EvdevBench(terminator=b"\r\n")

    async def test() -> None:
        heard = bench.start()
        bench.send(b"ONE\r")
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())
    bench.close()


def test_tab_as_terminator() -> None:
    bench = EvdevBench(terminator=b"\t")

    async def test() -> None:
        heard = bench.start()
        bench.send_events(keys_of(b"ONE") + key(15, 1) + key(15, 0))
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())
    bench.close()


def test_dropped_events_spoil_one_scan_and_release_all_keys(bench: EvdevBench) -> None:
    """(`scanning.md#unreadable-scans`)"""

    async def test() -> None:
        heard = bench.start()
        bench.send_events(keys_of(b"490") + key(LEFT_SHIFT, 1) + DROPPED + event(EV_KEY, KEY_A, 1) + REPORT)
        bench.send_events(keys_of(b"518\r"))
        bench.send_events(keys_of(b"one\r"))
        assert await heard.until_frames(2) == [(b"490", False), (b"one", True)]

    run(test())


def test_scan_dropped_as_a_whole_is_reported_after_the_idle_gap(bench: EvdevBench) -> None:
    async def test() -> None:
        heard = bench.start()
        bench.send_events(DROPPED + REPORT)
        assert await heard.until_frames(1) == [(b"", False)]

    run(test())


def test_slow_alt_code_is_not_cut_short(bench: EvdevBench) -> None:
    """Keys come up to 60 ms apart: a character typed as Alt + its code may take longer than the idle gap."""

    async def test() -> None:
        heard = bench.start()
        bench.send(b"8002")
        await turns()
        deadlines = []
        for events in (key(LEFT_ALT, 1), key(PAD_0, 1), key(PAD_0, 0), key(PAD_2, 1), key(PAD_2, 0), key(PAD_9, 1)):
            bench.send_events(events)
            await turns()
            assert bench.deadline is not None
            deadlines.append(bench.deadline)
        assert deadlines == sorted(set(deadlines))  # each key delays it
        bench.send_events(key(PAD_9, 0) + key(LEFT_ALT, 0) + keys_of(b"21\r"))
        assert await heard.until_frames(1) == [(b"8002\x1d21", True)]

    run(test())


def test_keys_typed_before_the_grab_spoil_the_scan_they_began(bench: EvdevBench) -> None:
    async def test() -> None:
        next(iter(bench.nodes.values())).before_grab = keys_of(b"490")
        heard = bench.start()
        bench.send_events(keys_of(b"518\r"))
        bench.send_events(keys_of(b"ONE\r"))
        assert await heard.until_frames(2) == [(b"518", False), (b"ONE", True)]

    run(test())


def test_key_released_after_the_grab_spoils_nothing(bench: EvdevBench) -> None:
    async def test() -> None:
        next(iter(bench.nodes.values())).before_grab = key(28, 0)
        heard = bench.start()
        bench.send_events(keys_of(b"ONE\r"))
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())


def test_all_nodes_of_a_device_are_read_as_one_keyboard() -> None:
    bench = EvdevBench(nodes=2)

    async def test() -> None:
        heard = bench.start()
        assert bench.opened == ["/dev/input/event3", "/dev/input/event4"]
        bench.send_events(keys_of(b"ON"), node=0)
        await turns()
        bench.send_events(keys_of(b"E\r"), node=1)
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())
    bench.close()


def test_a_node_that_appears_later_is_opened_and_grabbed(bench: EvdevBench) -> None:
    """(`faults.md#scanner-with-several-event-nodes`)"""

    async def test() -> None:
        heard = bench.start()
        await turns()
        began = bench.loop().time()
        later = bench.appear(4)
        await until(lambda: later.grabbed)
        assert bench.loop().time() - began < 1.0
        assert heard.statuses == [(True, "/dev/input/event3"), (True, "/dev/input/event3, /dev/input/event4")]
        bench.send_events(keys_of(b"ONE\r"), node=1)
        bench.send_events(keys_of(b"TWO\r"), node=0)
        assert sorted(await heard.until_frames(2)) == [(b"ONE", True), (b"TWO", True)]

    run(test())


def test_another_device_that_appears_later_is_left_alone(bench: EvdevBench) -> None:
    """(`settings.md#keyboard-scanner`)"""

    async def test() -> None:
        heard = bench.start()
        bench.appear(4, usb_port="usb-0:1.3")
        bench.appear(5, name="Desk keyboard", vendor=0x046D)
        last = bench.appear(6)
        await until(lambda: last.grabbed)
        assert bench.opened == ["/dev/input/event3", "/dev/input/event6"]
        assert heard.statuses[-1] == (True, "/dev/input/event3, /dev/input/event6")

    run(test())


def test_a_node_that_cannot_be_opened_yet_is_tried_again(bench: EvdevBench) -> None:
    """udev sets the permissions of a node after it has appeared. (`faults.md#scanner-with-several-event-nodes`)"""

    async def test() -> None:
        heard = bench.start()
        later = bench.appear(4)
        later.refuses = PermissionError(errno.EACCES, "Permission denied")
        await until(lambda: len(heard.statuses) == 2)
        assert "event4 cannot be opened: Permission denied" in heard.statuses[-1][1]
        bench.send_events(keys_of(b"ONE\r"), node=0)
        assert await heard.until_frames(1) == [(b"ONE", True)]
        bench.nodes["/dev/input/event4"] = again = PipeNode()
        await until(lambda: again.grabbed)
        assert heard.statuses[2:] == [(True, "/dev/input/event3, /dev/input/event4")]

    run(test())


def test_a_scan_typed_while_a_later_node_is_opened_is_one_unreadable_scan(bench: EvdevBench) -> None:
    """(`faults.md#scanner-with-several-event-nodes`)"""

    async def test() -> None:
        heard = bench.start()
        later = bench.appear(4)
        later.before_grab = keys_of(b"490154")
        await until(lambda: later.grabbed)
        bench.send_events(keys_of(b"203\r"), node=1)
        bench.send_events(keys_of(b"ONE\r"), node=1)
        assert await heard.until_frames(2) == [(b"203", False), (b"ONE", True)]

    run(test())


def test_a_later_node_of_a_paused_scanner_is_read_when_it_goes_on(bench: EvdevBench) -> None:
    async def test() -> None:
        heard = bench.start()
        bench.scanner.pause()
        later = bench.appear(4)
        await until(lambda: later.grabbed)
        bench.send_events(keys_of(b"ONE\r"), node=1)
        await turns()
        assert heard.scans == []
        bench.scanner.resume()
        assert await heard.until_frames(1) == [(b"ONE", True)]

    run(test())


def test_losing_one_node_is_losing_the_device() -> None:
    bench = EvdevBench(nodes=2)

    async def test() -> None:
        heard = bench.start()
        bench.present = []
        list(bench.nodes.values())[1].vanish()
        await heard.until_connected(False)
        assert [node.fd for node in bench.nodes.values()] == [-1, -1]

    run(test())
    bench.close()


def test_node_grabbed_by_another_is_refused_and_nothing_stays_open() -> None:
    bench = EvdevBench(nodes=2)
    nodes = list(bench.nodes.values())
    nodes[1].refuses = OSError(errno.EBUSY, "Device or resource busy")
    with pytest.raises(DeviceError, match=r"event4 cannot be opened: Device or resource busy"):
        bench.scanner.probe()
    assert [node.fd for node in nodes] == [-1, -1]
    bench.close()


def test_key_events_are_codes_and_values_of_keys_only() -> None:
    assert list(key_events(key(KEY_A, 1) + DROPPED + key(KEY_A, 0))) == [(KEY_A, 1), (KEY_A, 0)]


# -- which keyboard -----------------------------------------------------------------------------------------------

LEFT = keyboard(3, usb_port="usb-0:1.2")
LEFT_TOO = keyboard(4, usb_port="usb-0:1.2")
RIGHT = keyboard(5, usb_port="usb-0:1.3", serial="S2")
DESK = keyboard(6, usb_port="usb-0:1.4", vendor=0x046D, product=0xC31C)
PAIRED = keyboard(7, usb_port=None, vendor=0x05AC)
ALL = [LEFT, LEFT_TOO, RIGHT, DESK, PAIRED]


@pytest.mark.parametrize(
    ("match", "nodes"),
    [
        (KeyboardMatch(device="/dev/input/event4"), [3, 4]),
        (KeyboardMatch(device="/dev/input/event7"), [7]),
        (KeyboardMatch(vendor=0x046D), [6]),
        (KeyboardMatch(vendor=0x0C2E, product=0x0B61, serial="S2"), [5]),
        (KeyboardMatch(usb_port="usb-0:1.2"), [3, 4]),
        (KeyboardMatch(vendor=0x0C2E, usb_port="usb-0:1.3"), [5]),
    ],
)
def test_match_finds_all_nodes_of_its_device(match: KeyboardMatch, nodes: list[int]) -> None:
    """(`settings.md#keyboard-scanner`)"""
    assert match.nodes(ALL) == [f"/dev/input/event{number}" for number in nodes]


def test_usb_port_may_be_the_name_of_a_by_path_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.drivers.scanners.evdev.DEV_INPUT", str(tmp_path))
    (tmp_path / "by-path").mkdir()
    (tmp_path / "by-path" / "pci-usb-0:1.3:1.0-event-kbd").symlink_to(RIGHT.node)
    (tmp_path / "by-path" / "pci-usb-0:1.31:1.0-event-kbd").symlink_to(DESK.node)
    assert KeyboardMatch(usb_port="pci-usb-0:1.3").nodes(ALL) == [RIGHT.node]
    assert KeyboardMatch(usb_port="pci-usb-0:1.31:1.0").nodes(ALL) == [DESK.node]


def test_two_matching_devices_are_refused() -> None:
    """(`settings.md#keyboard-scanner`)"""
    with pytest.raises(DeviceError, match="usb_port"):
        KeyboardMatch(vendor=0x0C2E).nodes(ALL)


@pytest.mark.parametrize(
    "match", [KeyboardMatch(vendor=0x1234), KeyboardMatch(usb_port="usb-0:1"), KeyboardMatch(device="/dev/input/none")]
)
def test_no_matching_device_is_explained(match: KeyboardMatch) -> None:
    with pytest.raises(DeviceError, match=str(match)):
        match.nodes(ALL)


# -- overhear ------------------------------------------------------------------------------------------------------


class GrabbableNode:
    """An event node that records who holds it."""

    fd = 7

    def __init__(self, refuses: OSError | None = None) -> None:
        self._refuses = refuses
        self.grabbed = False
        self.closed = False

    def grab(self) -> None:
        if self._refuses is not None:
            raise self._refuses
        self.grabbed = True

    def ungrab(self) -> None:
        self.grabbed = False

    def close(self) -> None:
        self.closed = True


def test_overheard_keys_still_reach_other_programs() -> None:
    node = GrabbableNode()
    assert overhear("/dev/input/event0", lambda _: node) is node
    assert not node.grabbed
    assert not node.closed


def test_overhear_refuses_and_closes_a_grabbed_node() -> None:
    node = GrabbableNode(OSError(errno.EBUSY, "Device or resource busy"))
    with pytest.raises(DeviceError, match=r"event0 cannot be read: another program has grabbed it"):
        overhear("/dev/input/event0", lambda _: node)
    assert node.closed


def test_overhear_refuses_a_node_without_permission() -> None:
    def denied(path: str) -> GrabbableNode:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    with pytest.raises(DeviceError, match=r"event0 cannot be opened: Permission denied"):
        overhear("/dev/input/event0", denied)


@pytest.mark.parametrize(("refuses", "grabbed"), [(None, False), (OSError(errno.EBUSY, "busy"), True)])
def test_is_grabbed(refuses: OSError | None, grabbed: bool) -> None:
    """(`commands.md#scanners`)"""
    node = GrabbableNode(refuses)
    assert is_grabbed("/dev/input/event0", lambda _: node) is grabbed
    assert not node.grabbed
    assert node.closed
