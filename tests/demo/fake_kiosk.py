"""A demo kiosk that answers what the test says, without a daemon."""

from agent.contract.reasons import Reason
from agent.contract.signals import Signal
from agent.demo.console import Answer
from agent.demo.kiosk import DemoKiosk
from agent.workflow.state import State

__all__ = ["Answers", "FakeDemoKiosk"]

Answers = list[tuple[Signal, Reason | None]]


class FakeDemoKiosk(DemoKiosk):
    """Gives `answers` in turn and is over after the last. `alarm_after` is the word after which an alarm comes."""

    def __init__(self, answers: Answers, *, alarm_after: str = "", is_acknowledged: bool = True) -> None:
        self.answers = list(answers)
        self.alarms = 0
        self.is_over = False
        self.typed: list[str] = []
        self.codes: list[str] = []
        self.rests: list[float] = []
        self._alarm_after = alarm_after
        self._is_acknowledged = is_acknowledged

    def scan(self, typed: str, code: str) -> Answer | None:
        self.typed.append(typed)
        self.codes.append(code)
        if not self.answers:
            self.is_over = True
            return None
        self.alarms += typed == self._alarm_after
        signal, reason = self.answers.pop(0)
        return Answer(typed=typed, signal=signal, reason=reason, pending=0)

    def wait_alarm(self, after: int) -> bool:
        return self.alarms > after

    def settle(self) -> bool:
        return self._is_acknowledged

    def rest(self, seconds: float) -> None:
        self.rests.append(seconds)

    def state(self) -> State:
        return State()
