"""The script of the play: the five jobs of a packing bench in the demo's words, with the mistakes that people make."""

import re
from collections.abc import Iterator

from msgspec import Struct

from agent.contract.reasons import Reason
from agent.contract.signals import Signal

__all__ = ["SCENES", "Scene", "Step", "scenes_of"]


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


_STEP = re.compile(r"(?P<typed>.+?) {2,}(?P<signal>\w+)( (?P<reason>\w+))?( {2,}(\[(?P<mark>\w+)\])? ?(?P<say>.*))?")


def scenes_of(text: str) -> Iterator[Scene]:
    """Yield the scenes of a script. Raises ValueError.

    A scene is `== title`, then a line for each step: what is typed; signal and reason; `[hasty]` or `[alarm]` and what
    to say. Two or more blanks part them.
    """
    for scene in f"\n{text}".split("\n== ")[1:]:
        title, *lines = scene.strip().splitlines()
        yield Scene(title, tuple(_step(line) for line in lines))


def _step(line: str) -> Step:
    match = _STEP.fullmatch(line)
    if match is None:
        raise ValueError(f"not a step of the script: {line}")
    reason = match["reason"]
    return Step(
        typed=match["typed"],
        signal=Signal(match["signal"]),
        reason=None if reason is None else Reason(reason),
        say=match["say"] or "",
        hasty=match["mark"] == "hasty",
        alarm=match["mark"] == "alarm",
    )


_SCRIPT = """\
== job 1 of 5: assign the operators
order so-1001   reject not_signed_in        nothing happens before somebody signs in
badge e7        ok                          Noor signs in with her badge
order so-1001   ok                          she opens an order of used phones
imei 1          reject operator_unassigned  nobody is assigned to it yet
role pick       prompt                      who picks?
badge e7        ok                          Noor does
role pack       prompt                      who packs?
badge e9        reject role_not_allowed     Ida may only ship
badge e8        ok                          Sam packs
role ship       prompt                      who ships?
badge e9        ok                          Ida ships

== job 2 of 5: used scan, serialized and not
imei 1          ok                          each phone by its IMEI: scanned goes up, pending down
imei bad        reject bad_check_digit      a smudged label: the check digit is wrong
imei 1          again already_counted       the same phone once more
imei other      reject not_on_order         a phone that is not on this order
imei 2          ok                          one that is
where           where                       how many are still to go? the buzzer tells
imei 3          line_done                   the line is complete
qty 5           prompt                      of what has no serial number: a quantity and the product
product 2       reject over_quantity        five are too many
qty 3           prompt
product 2       ok                          three of them at once
product 2       order_done                  and one more: the order is complete
save            boxed                       SAVE makes the box
save            again                       [hasty] a trembling hand does not confirm it
imei 3          reject box_not_confirmed    the box is not confirmed yet
save            saved                       SAVE again confirms it

== job 3 of 5: distribution scan
order do-2002   ok                          new phones for a shop
imei 1          reject product_required     here the product comes first
product 1       ok                          the product, by the barcode on its carton
imei 3          reject wrong_product        the red one is not the product selected
imei 1          ok
imei 2          line_done
product 2       ok                          the next product
imei 3          ok
undo            removed                     that one is scratched: take it out
imei 3          ok                          it was only the wrapping: in again
imei 4          order_done
save            boxed
save            reject size_required        a box to a shop has a size
box xl          reject size_unknown         not that one
box m           ok
save            saved

== job 4 of 5: POS scan
order po-3003   ok                          watches by serial number, a phone by IMEI, cables by quantity
serial 1        ok
serial 2        line_done
imei 1          line_done
qty 5           prompt
product 3       order_done
save            boxed
label 1         ok                          a label for the box
box s           ok
save            saved

== and a stolen phone, in an order of two modes
order mx-4004   ok
imei 1          reject mode_required        which lines are scanned first?
mode used       ok
imei 1          ok                          [alarm] the kiosk takes it; the centre knows better
pack            reject held                 with a held unit in it nothing is packed
remove          prompt                      so it is taken out
imei 1          removed
imei 2          ok
imei 3          line_done
save            boxed
save            saved
pack            reject quantity_mismatch    the other line is missing
mode pos        ok
qty 2           prompt
product 2       order_done
save            boxed
box s           ok
save            saved

== job 5 of 5: packing confirmation
pack            prompt                      ordered = scanned on every line
confirm         reject not_assigned         Noor picked; Sam is assigned to packing
badge e8        ok                          Sam takes over
confirm         confirmed                   packed; the order system hears of it over MQTT
order mx-4004   reject order_closed         it stays closed
order so-1001   ok
pack            prompt
confirm         confirmed
order do-2002   ok
pack            prompt
confirm         confirmed
order po-3003   ok
pack            prompt
confirm         confirmed
out             ok                          all packed: Sam signs out
"""
SCENES = tuple(scenes_of(_SCRIPT))
