"""Parts of what other kiosks have counted (`mqtt.md#counted-parts`)."""

from typing import Any

import pytest

from agent.contract.counted import CountedBox, CountedContent, CountedPart
from agent.contract.messages import counted_of
from agent.contract.refused import MessageRefused
from tests.contract.samples import GONE, changed, payload

PART: dict[str, Any] = {
    "order": "SO-1",
    "part": "0",
    "revision": 4,
    "boxes": [
        {
            "box": "9A77000000000001",
            "kiosk": "dock-4",
            "contents": [
                {"line": "1", "quantity": 2, "units": ["490154203237518", "SN1"]},
                {"line": "2", "quantity": 3},
            ],
        },
        {"box": "9A77000000000002", "kiosk": "dock-4", "contents": []},
    ],
}


def parse(document: object, *, order: str = "SO-1", part: str = "0") -> CountedPart:
    return counted_of(order, part, payload(document), topic="t")


def test_part_is_read() -> None:
    first = (
        CountedContent(line="1", quantity=2, units=("490154203237518", "SN1")),
        CountedContent(line="2", quantity=3),
    )
    boxes = (
        CountedBox(box="9A77000000000001", kiosk="dock-4", contents=first),
        CountedBox(box="9A77000000000002", kiosk="dock-4", contents=()),
    )
    assert parse(PART) == CountedPart(order="SO-1", part="0", revision=4, boxes=boxes)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("order",), "SO-2", "order"),
        (("part",), "1", "part"),
        (("part",), GONE, "part"),
        (("revision",), True, "revision"),
        (("revision",), -1, "revision"),
        (("boxes",), {}, "boxes"),
        (("boxes", 0, "box"), 7, "boxes.0.box"),
        (("boxes", 0, "box"), "x" * 65, "boxes.0.box"),
        (("boxes", 1, "box"), "9a77000000000001", "boxes.1.box"),
        (("boxes", 0, "kiosk"), GONE, "boxes.0.kiosk"),
        (("boxes", 0, "contents", 0, "quantity"), 0, "boxes.0.contents.0.quantity"),
        (("boxes", 0, "contents", 0, "quantity"), 2.0, "boxes.0.contents.0.quantity"),
        (("boxes", 0, "contents", 0, "line"), "", "boxes.0.contents.0.line"),
        (("boxes", 0, "contents", 0, "units", 1), "490154203237518", "boxes.0.contents.0.units.1"),
        (("boxes", 0, "contents", 0, "units", 1), "a\x1b", "boxes.0.contents.0.units.1"),
    ],
)
def test_part_names_the_wrong_field(path: tuple[str | int, ...], value: object, field: str) -> None:
    """Rule: mqtt.md#refused-messages."""
    with pytest.raises(MessageRefused) as refusal:
        parse(changed(PART, path, value))
    assert [line.split(":")[0] for line in refusal.value.fields] == [field]


def test_a_box_that_no_event_could_carry_is_refused() -> None:
    units = [f"{n:04d}{'x' * 60}" for n in range(1000)]
    with pytest.raises(MessageRefused, match=r"boxes\.0: Too large"):
        parse(changed(PART, ("boxes", 0, "contents", 0, "units"), units))


def test_a_part_without_a_name_is_refused() -> None:
    with pytest.raises(MessageRefused, match="topic"):
        parse(PART, part="x" * 65)
