from collections.abc import Iterator

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory


@pytest.fixture
def mock_pins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """gpiozero's own mock pins, all at rest, and no other factory before or after."""
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory := MockFactory())
    yield
    factory.reset()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scanners look for their devices more often, so that tests need not wait half a second each."""
    monkeypatch.setattr("agent.drivers.scanners.scanner.RETRY_S", 0.02)
