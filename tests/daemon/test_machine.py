"""What the operating system tells, and the machines that do not tell it."""

from pathlib import Path

import pytest

from agent.daemon import machine
from agent.daemon.machine import memory_bytes, temperature_c, under_voltage


def test_memory_is_that_of_this_process() -> None:
    memory = memory_bytes()
    assert memory is not None
    assert 1 << 20 < memory < 1 << 40


@pytest.mark.parametrize(("content", "degrees"), [("48312\n", 48.312), ("-1500\n", -1.5), ("", None), ("hot", None)])
def test_temperature(content: str, degrees: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_TEMPERATURE", tmp_path / "temp")
    assert temperature_c() is None
    (tmp_path / "temp").write_text(content)
    assert temperature_c() == degrees


@pytest.mark.parametrize(
    ("content", "is_low"), [("0\n", False), ("1\n", True), ("50000\n", True), ("2\n", False), ("", None)]
)
def test_under_voltage_now_or_since_the_boot(
    content: str, is_low: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_THROTTLED", tmp_path / "throttled")
    assert under_voltage() is None
    (tmp_path / "throttled").write_text(content)
    assert under_voltage() is is_low
