"""Fixtures of the uplink's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.broker import Broker
from harness.servers import find_program


@pytest.fixture(name="mosquitto")
def _mosquitto(tmp_path: Path) -> Iterator[Broker]:
    try:
        find_program("mosquitto")
    except FileNotFoundError as exc:
        pytest.skip(str(exc))
    with Broker(tmp_path) as broker:
        yield broker
