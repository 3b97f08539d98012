"""The brokers on which the links are tested."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.broker import Broker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A Mosquitto without memory, everybody allowed."""
    with Broker(tmp_path / "mosquitto") as broker:
        yield broker


@pytest.fixture(params=[5, 311])
def protocol(request: pytest.FixtureRequest) -> int:
    """The version of MQTT, as in the settings."""
    value: int = request.param
    return value
