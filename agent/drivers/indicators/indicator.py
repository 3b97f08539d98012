"""What an indicator is: a station's light, buzzer and bar, as the scan path sees them."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from agent.contract.reasons import Reason
from agent.contract.signals import Signal, Steady

__all__ = ["Indicator", "NullIndicator", "SignalsOnly"]


class Indicator(ABC):
    """Shows signals. Every method may be called from any thread, returns within microseconds and raises nothing.

    Opening a device that is not there raises DeviceError. A device that fails later only sets `fault`.
    """

    def __init__(self) -> None:
        self.fault: str | None = None
        """Why the device does not work now; none while it does."""

    @abstractmethod
    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        """Give a signal; it replaces the one being given. A success and `fault` have no reason.

        `pending` is what is still to be scanned, told by `where`; `monotonic_ns` is the time of the decision.
        """

    @abstractmethod
    def scan_seen(self) -> None:
        """A scan has been read that gets no new signal of its own: what lasts "until the next scan" is over."""

    @abstractmethod
    def steady(self, light: Steady) -> None:
        """The light between signals, from now on."""

    @abstractmethod
    def offline(self, is_offline: bool) -> None:
        """Whether the uplink has no broker."""

    @abstractmethod
    def bar(self, scanned: int, ordered: int) -> None:
        """How far the order is."""

    @abstractmethod
    def identify(self) -> None:
        """Draw somebody's eye to this station, for some seconds; no signal."""

    @abstractmethod
    def clear_fault(self) -> None:
        """The fault shown by the last `fault` signal is over."""

    @abstractmethod
    def close(self) -> None:
        """Light out, sound off, let go of the device. Twice is fine, and so is any call afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class SignalsOnly(Indicator):
    """Base of the indicators that have signals to show and nothing between them."""

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
    """A station without light and sound."""

    def show(self, signal: Signal, reason: Reason | None, *, pending: int = 0, monotonic_ns: int) -> None:
        pass
