"""Fixtures of the uplink's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.uplink.mosquitto import Mosquitto


@pytest.fixture(name="mosquitto")
def _mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.stop()
