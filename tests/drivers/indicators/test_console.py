"""The indicator for people at a terminal."""

import io
import os
import threading

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.drivers.indicators.console import ConsoleIndicator


def lines_of(*shown: tuple[Signal, Reason | None, int]) -> list[str]:
    stream = io.StringIO()
    with ConsoleIndicator(station="1", stream=stream) as indicator:
        for signal, reason, pending in shown:
            indicator.show(signal, reason, pending=pending, monotonic_ns=1)
    return stream.getvalue().splitlines()


def test_line_has_station_light_signal_and_sound() -> None:
    """Rule: settings.md#indicator."""
    [line] = lines_of((Signal.BOXED, None, 0))
    assert line.split() == ["1", "blue", "boxed", "LS"]


def test_refusal_has_its_reason() -> None:
    [line] = lines_of((Signal.REJECT, Reason.NOT_ON_ORDER, 0))
    assert line.split() == ["1", "red", "reject", "not_on_order", "LLL"]


def test_where_has_the_pending_count() -> None:
    [line] = lines_of((Signal.WHERE, None, 7))
    assert line.split() == ["1", "where", "7", "to", "go"]


def test_every_signal_is_one_line_in_order() -> None:
    lines = lines_of(*((signal, None, 0) for signal in Signal))
    assert [next(word for word in line.split() if word in set(Signal)) for line in lines] == list(Signal)


def test_blocked_terminal_blocks_no_caller() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading) as reader:
        os.set_blocking(writing, True)
        with ConsoleIndicator(station="1", stream=stream) as indicator:
            for number in range(5000):
                indicator.show(Signal.OK, None, monotonic_ns=number)
            assert indicator.fault == "the terminal takes no more lines"
            drain = threading.Thread(target=lambda: list(iter(reader.readline, "")), daemon=True)
            drain.start()
        stream.close()
        drain.join()


def test_closed_stream_is_a_fault() -> None:
    stream = io.StringIO()
    stream.close()
    with ConsoleIndicator(station="1", stream=stream) as indicator:
        indicator.show(Signal.OK, None, monotonic_ns=1)
    assert indicator.fault is not None
