"""What every indicator must do, whatever device it drives."""

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.contract.reasons import Reason
from agent.contract.signals import Signal, Steady
from agent.drivers.indicators.console import ConsoleIndicator
from agent.drivers.indicators.fake_indicator import FakeIndicator
from agent.drivers.indicators.gpio import GpioIndicator
from agent.drivers.indicators.indicator import Indicator, NullIndicator
from agent.drivers.indicators.jsonl import JsonlIndicator

INDICATORS: dict[str, Callable[[Path], Indicator]] = {
    "gpio": lambda _: GpioIndicator(red=17, green=27, blue=22, buzzer=18, bar=[5, 6, 13, 19, 26]),
    "jsonl": lambda folder: JsonlIndicator(station="1", path=str(folder / "signals.jsonl")),
    "console": lambda _: ConsoleIndicator(station="1", stream=io.StringIO()),
    "none": lambda _: NullIndicator(),
    "fake": lambda _: FakeIndicator(),
}


@pytest.fixture(params=INDICATORS)
def indicator(request: pytest.FixtureRequest, tmp_path: Path, mock_pins: None) -> Iterator[Indicator]:
    indicator = INDICATORS[request.param](tmp_path)
    yield indicator
    indicator.close()


def show_everything(indicator: Indicator) -> None:
    for signal in Signal:
        for reason in (None, *Reason):
            indicator.show(signal, reason, pending=3, monotonic_ns=1)
    for light in Steady:
        indicator.steady(light)
    for is_offline in (True, True, False):
        indicator.offline(is_offline)
    for scanned, ordered in ((0, 0), (1, 3), (7, 3), (-1, 3)):
        indicator.bar(scanned, ordered)
    indicator.scan_seen()
    indicator.identify()
    indicator.clear_fault()


def test_everything_can_be_shown_without_a_fault(indicator: Indicator) -> None:
    show_everything(indicator)
    indicator.close()
    assert indicator.fault is None


def test_any_thread_may_call_it(indicator: Indicator) -> None:
    failed: list[threading.ExceptHookArgs] = []
    hook, threading.excepthook = threading.excepthook, failed.append
    threads = [threading.Thread(target=show_everything, args=(indicator,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    indicator.close()
    threading.excepthook = hook
    assert failed == []


def test_after_close_all_calls_are_no_ops(indicator: Indicator) -> None:
    indicator.close()
    indicator.close()
    show_everything(indicator)


def test_it_is_a_context_manager(indicator: Indicator) -> None:
    with indicator as entered:
        assert entered is indicator
    indicator.close()
