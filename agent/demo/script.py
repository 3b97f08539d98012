"""The script of the play: the five jobs of a packing bench in the demo's words, with the mistakes that people make."""

from msgspec import Struct

from agent.contract.reasons import Reason
from agent.contract.signals import Signal

__all__ = ["SCENES", "Scene", "Step"]


class Step(Struct, frozen=True, kw_only=True):
    """What is typed, and the signal that must answer it. `say` explains the step.

    A `hasty` step is scanned at once, as by a trembling hand; other repetitions of a code wait until they are no
    bounce. After a step with `alarm` the centre objects.
    """

    typed: str
    signal: Signal
    reason: Reason | None
    say: str
    hasty: bool
    alarm: bool


class Scene(Struct, frozen=True):
    title: str
    steps: tuple[Step, ...]


def _step(
    typed: str,
    signal: Signal,
    say: str = "",
    *,
    reason: Reason | None = None,
    hasty: bool = False,
    alarm: bool = False,
) -> Step:
    return Step(typed=typed, signal=signal, reason=reason, say=say, hasty=hasty, alarm=alarm)


def _refused(typed: str, reason: Reason, say: str) -> Step:
    return _step(typed, Signal.REJECT, say, reason=reason)


SCENES = (
    Scene(
        "job 1 of 5: assign the operators",
        (
            _refused("order so-1001", Reason.NOT_SIGNED_IN, "nothing happens before somebody signs in"),
            _step("badge e7", Signal.OK, "Noor signs in with her badge"),
            _step("order so-1001", Signal.OK, "she opens an order of used phones"),
            _refused("imei 1", Reason.OPERATOR_UNASSIGNED, "nobody is assigned to it yet"),
            _step("role pick", Signal.PROMPT, "who picks?"),
            _step("badge e7", Signal.OK, "Noor does"),
            _step("role pack", Signal.PROMPT, "who packs?"),
            _refused("badge e9", Reason.ROLE_NOT_ALLOWED, "Ida may only ship"),
            _step("badge e8", Signal.OK, "Sam packs"),
            _step("role ship", Signal.PROMPT, "who ships?"),
            _step("badge e9", Signal.OK, "Ida ships"),
        ),
    ),
    Scene(
        "job 2 of 5: used scan, serialized and not",
        (
            _step("imei 1", Signal.OK, "each phone by its IMEI: scanned goes up, pending down"),
            _refused("imei bad", Reason.BAD_CHECK_DIGIT, "a smudged label: the check digit is wrong"),
            _step("imei 1", Signal.AGAIN, "the same phone once more", reason=Reason.ALREADY_COUNTED),
            _refused("imei other", Reason.NOT_ON_ORDER, "a phone that is not on this order"),
            _step("imei 2", Signal.OK, "one that is"),
            _step("where", Signal.WHERE, "how many are still to go? the buzzer tells"),
            _step("imei 3", Signal.LINE_DONE, "the line is complete"),
            _step("qty 5", Signal.PROMPT, "of what has no serial number: a quantity and the product"),
            _refused("product 2", Reason.OVER_QUANTITY, "five are too many"),
            _step("qty 3", Signal.PROMPT),
            _step("product 2", Signal.OK, "three of them at once"),
            _step("product 2", Signal.ORDER_DONE, "and one more: the order is complete"),
            _step("save", Signal.BOXED, "SAVE makes the box"),
            _step("save", Signal.AGAIN, "a trembling hand does not confirm it", hasty=True),
            _refused("imei 3", Reason.BOX_NOT_CONFIRMED, "the box is not confirmed yet"),
            _step("save", Signal.SAVED, "SAVE again confirms it"),
        ),
    ),
    Scene(
        "job 3 of 5: distribution scan",
        (
            _step("order do-2002", Signal.OK, "new phones for a shop"),
            _refused("imei 1", Reason.PRODUCT_REQUIRED, "here the product comes first"),
            _step("product 1", Signal.OK, "the product, by the barcode on its carton"),
            _refused("imei 3", Reason.WRONG_PRODUCT, "the red one is not the product selected"),
            _step("imei 1", Signal.OK),
            _step("imei 2", Signal.LINE_DONE),
            _step("product 2", Signal.OK, "the next product"),
            _step("imei 3", Signal.OK),
            _step("undo", Signal.REMOVED, "that one is scratched: take it out"),
            _step("imei 3", Signal.OK, "it was only the wrapping: in again"),
            _step("imei 4", Signal.ORDER_DONE),
            _step("save", Signal.BOXED),
            _refused("save", Reason.SIZE_REQUIRED, "a box to a shop has a size"),
            _refused("box xl", Reason.SIZE_UNKNOWN, "not that one"),
            _step("box m", Signal.OK),
            _step("save", Signal.SAVED),
        ),
    ),
    Scene(
        "job 4 of 5: POS scan",
        (
            _step("order po-3003", Signal.OK, "watches by serial number, a phone by IMEI, cables by quantity"),
            _step("serial 1", Signal.OK),
            _step("serial 2", Signal.LINE_DONE),
            _step("imei 1", Signal.LINE_DONE),
            _step("qty 5", Signal.PROMPT),
            _step("product 3", Signal.ORDER_DONE),
            _step("save", Signal.BOXED),
            _step("label 1", Signal.OK, "a label for the box"),
            _step("box s", Signal.OK),
            _step("save", Signal.SAVED),
        ),
    ),
    Scene(
        "and a stolen phone, in an order of two modes",
        (
            _step("order mx-4004", Signal.OK),
            _refused("imei 1", Reason.MODE_REQUIRED, "which lines are scanned first?"),
            _step("mode used", Signal.OK),
            _step("imei 1", Signal.OK, "the kiosk takes it; the centre knows better", alarm=True),
            _refused("pack", Reason.HELD, "with a held unit in it nothing is packed"),
            _step("remove", Signal.PROMPT, "so it is taken out"),
            _step("imei 1", Signal.REMOVED),
            _step("imei 2", Signal.OK),
            _step("imei 3", Signal.LINE_DONE),
            _step("save", Signal.BOXED),
            _step("save", Signal.SAVED),
            _refused("pack", Reason.QUANTITY_MISMATCH, "the other line is missing"),
            _step("mode pos", Signal.OK),
            _step("qty 2", Signal.PROMPT),
            _step("product 2", Signal.ORDER_DONE),
            _step("save", Signal.BOXED),
            _step("box s", Signal.OK),
            _step("save", Signal.SAVED),
        ),
    ),
    Scene(
        "job 5 of 5: packing confirmation",
        (
            _step("pack", Signal.PROMPT, "ordered = scanned on every line"),
            _refused("confirm", Reason.NOT_ASSIGNED, "Noor picked; Sam is assigned to packing"),
            _step("badge e8", Signal.OK, "Sam takes over"),
            _step("confirm", Signal.CONFIRMED, "packed; the order system hears of it over MQTT"),
            _refused("order mx-4004", Reason.ORDER_CLOSED, "it stays closed"),
            _step("order so-1001", Signal.OK),
            _step("pack", Signal.PROMPT),
            _step("confirm", Signal.CONFIRMED),
            _step("order do-2002", Signal.OK),
            _step("pack", Signal.PROMPT),
            _step("confirm", Signal.CONFIRMED),
            _step("order po-3003", Signal.OK),
            _step("pack", Signal.PROMPT),
            _step("confirm", Signal.CONFIRMED),
            _step("out", Signal.OK, "all packed: Sam signs out"),
        ),
    ),
)
