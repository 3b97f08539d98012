"""Fixtures of the drivers' tests."""

from collections.abc import Iterator

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory


@pytest.fixture
def mock_pins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """gpiozero's mock pins, all at rest, and no other pin factory before or after."""
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory := MockFactory())
    yield
    factory.reset()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let scanners look for their devices more often, so that tests do not wait half a second each time."""
    monkeypatch.setattr("agent.drivers.scanners.scanner.RETRY_S", 0.02)
