"""The indicator without hardware."""

from agent.contract.reasons import Reason
from agent.contract.signals import Signal, Steady
from agent.drivers.indicators.fake_indicator import FakeIndicator, ShownSignal


def test_every_call_is_recorded() -> None:
    with FakeIndicator() as indicator:
        indicator.show(Signal.REJECT, Reason.BOX_OPEN, monotonic_ns=7)
        indicator.steady(Steady.READY)
        indicator.offline(True)
        indicator.bar(1, 2)
        indicator.fail("broken")
    assert indicator.shown == [ShownSignal(signal=Signal.REJECT, reason=Reason.BOX_OPEN, pending=0, monotonic_ns=7)]
    assert indicator.signals == [(Signal.REJECT, Reason.BOX_OPEN)]
    assert (indicator.light, indicator.is_offline, indicator.bars) == (Steady.READY, True, [(1, 2)])
    assert (indicator.fault, indicator.closed) == ("broken", True)
