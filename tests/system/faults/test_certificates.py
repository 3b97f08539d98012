"""Certificates that are not valid: refused, explained in one log line each, and tried again; scanning goes on."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from harness.broker import Broker
from harness.certificates import DAY, NOW, Authority
from harness.waiting import wait_for
from harness.world import World, refused, world_of
from tests.system.faults.shim import Shim

AWAY_AND_BACK_S = 90.0
"""Enough for a back-off of 30 s."""


def lines_about(world: World, port: int) -> list[str]:
    return [line for line in world.kiosk.output().splitlines() if f"localhost:{port}" in line]


def tried_again(world: World, broker: Broker) -> bool:
    return len(lines_about(world, broker.port)) > 1


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world whose kiosk, not yet started, trusts the authority of its broker's certificate."""
    certificates = Authority(tmp_path / "certificates").issue()
    with world_of(
        tmp_path,
        started=False,
        mqtt={"host": "localhost", "tls": True, "ca_file": str(certificates.authority)},
        broker_options={"certificates": certificates},
    ) as found:
        yield found


def test_each_is_refused_in_one_line_and_tried_again(tmp_path: Path) -> None:
    """Rule: settings.md#broker."""
    authority = Authority(tmp_path / "ca")
    good = authority.issue("good")
    bad = {
        "has expired": authority.issue("expired", begins=NOW - 9 * DAY, ends=NOW - 2 * DAY),
        "not yet valid": authority.issue("early", begins=NOW + 2 * DAY, ends=NOW + 9 * DAY),
        "another host name": authority.issue("name", host="broker.example", address="192.0.2.1"),
        "an authority that is not trusted here": Authority(tmp_path / "unknown").issue(),
    }
    with ExitStack() as undo:
        brokers = {
            said: undo.enter_context(Broker(tmp_path / f"broker-{number}", certificates=certificates))
            for number, (said, certificates) in enumerate(bad.items())
        }
        world = undo.enter_context(world_of(tmp_path, started=False, broker_options={"certificates": good}))
        del world.kiosk.settings["mqtt"]["host"]
        world.kiosk.settings["mqtt"] |= {
            "hosts": [f"localhost:{broker.port}" for broker in brokers.values()],
            "tls": True,
            "ca_file": str(good.authority),
        }
        world.kiosk.configure()
        world.kiosk.start()
        assert world.station.scan("anything") == refused("not_signed_in")
        for said, broker in brokers.items():
            wait_for(partial(tried_again, world, broker), "a second attempt")
            assert all(said in line for line in lines_about(world, broker.port)), (
                said,
                lines_about(world, broker.port),
            )
        assert world.station.scan("anything else") == refused("not_signed_in")
        assert world.kiosk.stop() == 0


def test_renewed_certificate_is_taken_without_a_restart(world: World, tmp_path: Path) -> None:
    """The broker's certificate has expired; its administrator replaces it.

    Rule: settings.md#broker.
    """
    authority = Authority(tmp_path / "broker-certificates")
    expired = authority.issue(begins=NOW - 9 * DAY, ends=NOW - 2 * DAY)
    world.kiosk.settings["mqtt"]["ca_file"] = str(expired.authority)
    with Broker(tmp_path / "broker-2", certificates=expired) as broker:
        world.kiosk.settings["mqtt"]["port"] = broker.port
        world.kiosk.configure()
        world.kiosk.start()
        wait_for(lambda: bool(lines_about(world, broker.port)), "the refusal")
        assert "has expired" in lines_about(world, broker.port)[0]
        broker.stop()
        authority.issue()
        broker.start()
        wait_for(
            lambda: f"connected to localhost:{broker.port}" in world.kiosk.output(),
            "the connection",
            deadline_s=AWAY_AND_BACK_S,
        )
        assert world.kiosk.stop() == 0


def test_clock_before_the_certificate_until_a_time_server_answers(
    world: World, shim_library: Path, tmp_path: Path
) -> None:
    """A kiosk starts in 1970, when no certificate is valid yet. It says so, and is online once its clock is set.

    Rules: faults.md#wrong-clock, settings.md#broker.
    """
    with Shim(shim_library, tmp_path / "control", root=world.kiosk.state_dir) as shim:
        world.kiosk.environment.update(shim.environment)
        shim.step_clock(-int(time.time()))
        world.kiosk.start()
        assert world.station.scan("anything") == refused("not_signed_in")
        wait_for(lambda: bool(lines_about(world, world.broker.port)), "the refusal")
        assert "not yet valid; is this machine's clock right?" in lines_about(world, world.broker.port)[0]
        shim.step_clock(0)
        world.centre.wait_status("online", deadline_s=AWAY_AND_BACK_S)
        assert world.delivered() == world.in_sequence()
        assert world.kiosk.stop() == 0
