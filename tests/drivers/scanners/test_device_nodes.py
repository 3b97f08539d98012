"""Listing the device nodes that may be scanners."""

from pathlib import Path

import pytest

from agent.drivers.scanners.device_nodes import DeviceKind, DeviceNode, KeptListing, keyboards, links_to, stable_path
from agent.drivers.scanners.enumeration import plugged_in
from tests.drivers.benches import keyboard

KEYBOARD_KEYS = "10000 7 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
POWER_BUTTON_KEYS = "10000000000000 0"


class Machine:
    """The part of a machine's sysfs and /dev that concerns keyboards."""

    def __init__(self, folder: Path) -> None:
        self.sys = folder / "sys"
        self.dev = folder / "dev"

    def plug_in(
        self, number: int, *, keys: str = KEYBOARD_KEYS, links: dict[str, str] | None = None, **files: str
    ) -> None:
        device = self.sys / f"event{number}" / "device"
        for name, text in {"capabilities/ev": "120013", "capabilities/key": keys, **files}.items():
            (device / name.replace("__", "/")).parent.mkdir(parents=True, exist_ok=True)
            (device / name.replace("__", "/")).write_text(f"{text}\n")
        self.dev.mkdir(exist_ok=True)
        (self.dev / f"event{number}").touch()
        for kind, name in (links or {}).items():
            (self.dev / kind).mkdir(exist_ok=True)
            (self.dev / kind / name).symlink_to(f"../event{number}")

    def keyboards(self) -> list[DeviceNode]:
        return keyboards(str(self.sys), str(self.dev))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_keyboard_is_a_record_of_what_sysfs_says(machine: Machine) -> None:
    machine.plug_in(
        12,
        name="Honeywell Scanner",
        phys="usb-0000:01:00.0-1.2/input0",
        uniq="23156B1234",
        id__vendor="0c2e",
        id__product="0b61",
        links={"by-id": "usb-Honeywell-event-kbd", "by-path": "pci-usb-0:1.2:1.0-event-kbd"},
    )
    assert machine.keyboards() == [
        DeviceNode(
            kind=DeviceKind.EVDEV,
            name="Honeywell Scanner",
            path=str(machine.dev / "by-id/usb-Honeywell-event-kbd"),
            node=str(machine.dev / "event12"),
            vendor=0x0C2E,
            product=0x0B61,
            serial="23156B1234",
            usb_port="usb-0000:01:00.0-1.2",
        )
    ]


def test_missing_values_are_none_and_the_path_is_the_node(machine: Machine) -> None:
    machine.plug_in(3)
    [found] = machine.keyboards()
    assert (found.name, found.path) == (found.node, found.node)
    assert (found.vendor, found.product, found.serial, found.usb_port) == (None, None, None, None)


def test_buttons_and_mice_are_not_keyboards(machine: Machine) -> None:
    machine.plug_in(1, keys=POWER_BUTTON_KEYS, name="Power Button")
    machine.plug_in(2, keys="1f0000 0 0 0 0", name="Mouse")
    assert machine.keyboards() == []


def test_keyboards_are_sorted_by_node_number(machine: Machine) -> None:
    for number in (10, 9, 100):
        machine.plug_in(number)
    assert [Path(found.node).name for found in machine.keyboards()] == ["event9", "event10", "event100"]


def test_without_devices_the_list_is_empty(machine: Machine) -> None:
    assert machine.keyboards() == []


def test_keyboard_unplugged_in_the_meantime_is_left_out(machine: Machine) -> None:
    machine.plug_in(3, id__vendor="torn")
    machine.plug_in(4)
    assert [Path(found.node).name for found in machine.keyboards()] == ["event4"]


def test_by_path_link_is_used_if_there_is_no_by_id_link(machine: Machine) -> None:
    machine.plug_in(3, links={"by-path": "pci-usb-0:1.2:1.0-event-kbd"})
    [found] = machine.keyboards()
    assert found.path == str(machine.dev / "by-path/pci-usb-0:1.2:1.0-event-kbd")


def test_links_are_those_of_the_node_by_id_first(machine: Machine) -> None:
    machine.plug_in(3, links={"by-path": "port", "by-id": "name"})
    machine.plug_in(4, links={"by-path": "other"})
    links = links_to(str(machine.dev / "event3"), str(machine.dev))
    assert links == [str(machine.dev / "by-id/name"), str(machine.dev / "by-path/port")]
    assert stable_path("node", links) == links[0]
    assert stable_path("node", []) == "node"


def test_a_node_that_now_is_another_device_is_read_again(machine: Machine) -> None:
    for number, name in ((17, "First"), (18, "Second")):
        machine.plug_in(3, name=name)
        device = machine.sys.parent / f"input{number}"
        device.mkdir()
        (machine.sys / "event3").rename(device / "event3")
        (machine.sys / "event3").symlink_to(f"../input{number}/event3")
        [found] = machine.keyboards()
        assert found.name == name
        assert found == machine.keyboards()[0]
        (machine.sys / "event3").unlink()


def test_links_may_appear_after_the_keyboard(machine: Machine) -> None:
    machine.plug_in(3)
    assert machine.keyboards()[0].path == str(machine.dev / "event3")
    machine.plug_in(3, links={"by-id": "usb-Scanner-event-kbd"})
    assert machine.keyboards()[0].path == str(machine.dev / "by-id/usb-Scanner-event-kbd")


def test_this_machine_can_be_listed() -> None:
    assert all(isinstance(found, DeviceNode) for found in plugged_in())


def test_a_kept_listing_is_the_same_object_until_something_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    now, calls = [100.0], []
    present = [keyboard(3)]
    monkeypatch.setattr("agent.drivers.scanners.device_nodes.monotonic", lambda: now[0])
    listing = KeptListing(lambda: calls.append(now[0]) or list(present))  # type: ignore[func-returns-value]
    first = listing()
    assert list(first) == present
    assert all(listing() is first for _ in range(200))
    assert len(calls) == 1
    now[0] += 0.3
    assert listing() is first
    present.append(keyboard(4))
    assert listing() is first  # not yet
    now[0] += 0.3
    assert list(listing()) == present
    assert len(calls) == 3
