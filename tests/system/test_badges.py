"""Badges stay on the kiosk, and guessing them is stopped.

Rules: scanning.md#a-badge-never-leaves-the-kiosk, scanning.md#guessing-badges.
"""

import json
from collections.abc import Iterator

import pytest

from harness.codes import badge, command
from harness.warehouse import BADGES
from harness.world import World, refused, world_of


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("badges")) as found:
        yield found


def test_refused_badge_is_nowhere_to_be_read(world: World) -> None:
    """Rule: scanning.md#a-badge-never-leaves-the-kiosk."""
    order, _ = world.simple(1)
    station = world.opened(order)
    mark = world.mark()
    stranger = badge("STRANGER7")
    assert station.scan(stranger) == refused("badge_unknown")
    told = world.consumer.wait("scan.rejected", since=mark).data.code
    assert told.startswith("badge:")
    assert len(told) == len("badge:") + 8
    station.scan(command("OUT"))
    mark = world.mark()
    assert station.scan("EMP-00471") == refused("not_signed_in")
    assert world.consumer.wait("scan.rejected", since=mark).data.code.startswith("badge:")
    journal = b"".join(path.read_bytes() for path in (world.kiosk.state_dir / "journal").iterdir())
    health = json.dumps(world.centre.request("health"))
    for text in (stranger, "EMP-00471"):
        assert text.encode() not in journal
        assert text not in world.kiosk.output()
        assert text not in health
    assert (world.kiosk.state_dir / "badge.key").stat().st_mode & 0o777 == 0o600


def test_guesses_lock_a_station_and_health_says_so(world: World) -> None:
    """Rule: scanning.md#guessing-badges."""
    order, _ = world.simple(1)
    station = world.opened(order)
    station.scan(command("OUT"))
    for number in range(10):
        assert station.scan(badge(f"GUESS{number:04d}")) == refused("badge_unknown")
    assert station.scan(BADGES["E7"]) == refused("badge_unknown")
    world.centre.wait_health(lambda health: "badge_guessing" in json.dumps(health["errors"]), "badge_guessing")
    assert station.scan(command("WHERE")).signal == "where"
