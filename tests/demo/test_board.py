"""What the board remembers, and whom it tells."""

import threading

from agent.contract.reasons import Reason
from agent.contract.signals import Colour, Signal, Steady
from agent.demo.board import Answer, Arrival, Board, Caption, Entry, Note

PATIENCE_S = 10.0


def test_a_signal_answers_what_was_scanned_and_only_that() -> None:
    board = Board()
    board.scanned("imei 1")
    board.signalled(Signal.OK, None, 0)
    board.signalled(Signal.ALARM, Reason.HELD, 0)
    answer = Answer(typed="imei 1", signal=Signal.OK, reason=None, pending=0)
    alarm = Answer(typed=None, signal=Signal.ALARM, reason=Reason.HELD, pending=0)
    assert board.glimpse().answers == (answer, alarm)
    assert (board.glimpse().last, board.reply, board.answered, board.alarms) == (alarm, answer, 1, 1)


def test_a_note_stays_until_the_next_scan() -> None:
    board = Board()
    board.note("there is imei 1 only")
    assert board.glimpse().note == "there is imei 1 only"
    board.scanned("imei 1")
    assert board.glimpse().note == ""


def test_entries_are_told_in_their_order() -> None:
    told: list[Entry] = []
    board = Board(told.append)
    board.caption("job 1", "sign in")
    board.note("hello")
    board.scanned("badge e7")
    board.signalled(Signal.OK, None, 0)
    board.arrived(Arrival(sequence=1, kind="operator.signed_in", summary="E7"))
    assert [type(entry) for entry in told] == [Caption, Note, Answer, Arrival]


def test_lights() -> None:
    board = Board()
    board.lamp(Colour.GREEN, True)
    board.steady(Steady.SCANNING)
    board.offline(False)
    lights = board.glimpse().lights
    assert (lights.colour, lights.buzz, lights.steady, lights.is_offline) == (
        Colour.GREEN,
        True,
        Steady.SCANNING,
        False,
    )


def test_waiting_ends_with_what_was_waited_for_or_with_the_board() -> None:
    board = Board()
    signaller = threading.Thread(target=board.signalled, args=(Signal.ALARM, None, 0))
    signaller.start()
    assert board.wait_for(lambda: board.alarms == 1, PATIENCE_S)
    signaller.join()
    closer = threading.Thread(target=board.close)
    closer.start()
    assert not board.wait_for(lambda: False, PATIENCE_S)
    assert board.is_closed
    closer.join()
