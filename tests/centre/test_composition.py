"""The running centre: its first start, its end, and what keeps a second one out."""

import re
import socket
import time
from pathlib import Path

import httpx
import pytest

from harness.broker import Broker
from harness.centre_process import CentreProcess
from harness.postgres import PostgresServer
from harness.waiting import wait_for

LINK = re.compile(r"http\S+/sign-in/(\S+)")


@pytest.fixture
def broker(tmp_path: Path) -> Broker:
    return Broker(tmp_path / "broker")


def test_the_first_start_makes_the_admin_and_a_link_that_signs_in_once(tmp_path: Path, broker: Broker) -> None:
    with broker, CentreProcess(tmp_path / "centre", [broker.port]) as centre:
        centre.start()
        link = LINK.search(centre.output())
        assert link is not None
        assert re.search(r"as admin with the password \S{12,}", centre.output())
        with httpx.Client(base_url=centre.url) as browser:
            assert browser.get(f"/sign-in/{link[1]}").status_code == 303
            assert browser.get("/").status_code == 200
        with httpx.Client(base_url=centre.url) as second:
            assert second.get(f"/sign-in/{link[1]}").status_code == 403
        assert centre.stop() == 0
        centre.start()
        assert len(LINK.findall(centre.output())) == 1, "a later start prints neither"
        assert (centre.data_dir / "centre.sqlite").stat().st_mode & 0o077 == 0


def test_it_starts_without_a_broker_and_stops_within_seconds(tmp_path: Path, broker: Broker) -> None:
    with CentreProcess(tmp_path / "centre", [broker.port]) as centre:
        centre.spawn()
        wait_for(lambda: " started " in centre.output(), "the start")
        assert httpx.get(f"{centre.url}/healthz").status_code == 200
        assert httpx.get(f"{centre.url}/readyz").json()["brokers"] == {f"127.0.0.1:{broker.port}": False}
        began = time.monotonic()
        assert centre.stop() == 0
        assert time.monotonic() - began < 10


def test_a_port_that_is_taken_ends_the_start(tmp_path: Path, broker: Broker) -> None:
    with CentreProcess(tmp_path / "centre", [broker.port]) as centre, socket.socket() as other:
        other.bind(("127.0.0.1", centre.port))
        other.listen()
        done = centre.run("run")
        assert done.returncode == 75
        assert b"cannot listen on 127.0.0.1 port" in done.stdout
        assert b"Traceback" not in done.stdout + done.stderr


def test_a_database_that_is_down_ends_the_start(tmp_path: Path, broker: Broker) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    with CentreProcess(tmp_path / "centre", [broker.port], database_url=url) as centre:
        assert centre.run("run").returncode == 69


def test_a_second_centre_stands_by_and_takes_over(tmp_path: Path, broker: Broker, postgres: PostgresServer) -> None:
    url = postgres.database()
    with (
        broker,
        CentreProcess(tmp_path / "a", [broker.port], database_url=url) as first,
        CentreProcess(tmp_path / "b", [broker.port], database_url=url) as second,
    ):
        first.start()
        second.spawn()
        wait_for(lambda: " started " in second.output(), "the second start")
        time.sleep(2)
        assert not second.is_ready()
        assert httpx.get(f"{second.url}/healthz").status_code == 200
        first.kill()
        began = time.monotonic()
        second.wait_ready()
        assert time.monotonic() - began < 10
        first.spawn()
        wait_for(lambda: first.output().count(" started ") == 2, "the first one again")
        time.sleep(2)
        assert not first.is_ready()
        assert second.is_ready()
        assert second.stop() == 0
        first.wait_ready(deadline_s=10)
