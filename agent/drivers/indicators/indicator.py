"""The interface of an indicator: light, buzzer and LED bar of a station."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from agent.contract.reasons import Reason
from agent.contract.signals import Signal, Steady

__all__ = ["Indicator", "NullIndicator", "SignalsOnly"]


class Indicator(ABC):
    """Shows signals. Methods may be called from any thread, return within microseconds and raise nothing.

    Opening a missing device raises DeviceError. A device that fails later only sets `fault`. (`faults.md#gpio-failure`)
    """

    def __init__(self) -> None:
        self.fault: str | None = None
        """Why the device does not work at present; None if it works."""

    @abstractmethod
    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        """Show a signal in place of the one being shown. (`signals.md#newest-signal-wins`)

        A success and `fault` have no reason. `pending` is the number of units still to scan, for the signal `where`.
        `monotonic_ns` is the time of the decision.
        """

    @abstractmethod
    def scan_seen(self) -> None:
        """A scan was read that gets no new signal: end what lasts until the next scan."""

    @abstractmethod
    def steady(self, light: Steady) -> None:
        """Set the light between signals. (`signals.md#steady-lights`)"""

    @abstractmethod
    def offline(self, is_offline: bool) -> None:
        """Set whether the uplink is offline. (`signals.md#steady-lights`)"""

    @abstractmethod
    def bar(self, scanned: int, ordered: int) -> None:
        """Show the progress of the order. (`signals.md#led-bar`)"""

    @abstractmethod
    def identify(self) -> None:
        """Blink for some seconds, so that somebody finds this station. Not a signal. (`mqtt.md#requests`)"""

    @abstractmethod
    def clear_fault(self) -> None:
        """End the `fault` signal: the fault is over."""

    @abstractmethod
    def close(self) -> None:
        """Switch everything off and close the device. Idempotent; calls afterwards are no-ops."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class SignalsOnly(Indicator):
    """Base of indicators that show signals and nothing in between."""

    def scan_seen(self) -> None:
        pass

    def steady(self, light: Steady) -> None:
        pass

    def offline(self, is_offline: bool) -> None:
        pass

    def bar(self, scanned: int, ordered: int) -> None:
        pass

    def identify(self) -> None:
        pass

    def clear_fault(self) -> None:
        pass

    def close(self) -> None:
        pass


class NullIndicator(SignalsOnly):
    """For a station without light and buzzer."""

    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        pass
