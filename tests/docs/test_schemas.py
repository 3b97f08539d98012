"""The JSON Schemas and the AsyncAPI document are up to date, valid, and describe what is written and read.

Rules: `mqtt.md#status`, `mqtt.md#health`, `mqtt.md#station-view`, `mqtt.md#event-documents`, `mqtt.md#event-types`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from agent.contract.cloudevents import document, undeliverable
from agent.contract.events import EVENTS, Accepted, PackingConfirmed, Rejected, Unit
from agent.contract.manifest import Flow
from agent.contract.reasons import Reason
from agent.contract.topics import Topics
from harness.wire import problems, schema_named, validator_for
from scripts.docs.schema_files import FOLDER, schema_files
from scripts.docs.schemas import INBOUND, OUTBOUND, event_types
from tests.contract.samples import ENVELOPE, MANIFEST, changed, payload

AGENT = "kiosk/v1/rtm1/agent/dock-3"
ACCEPTED = Accepted(
    station="1",
    by="E7",
    order="SO-1001",
    line="1",
    sku="P13",
    mode=Flow.USED,
    unit=Unit(scheme="imei", id="490154203237518"),
    quantity=1,
    box="3F0C9A1B000017",
    scanner="left",
    symbology=None,
    line_scanned=3,
    line_pending=7,
    order_scanned=3,
    order_pending=9,
)


def refs(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (one for key, one in value.items() if key == "$ref")
        for below in value.values():
            yield from refs(below)
    elif isinstance(value, list):
        for below in value:
            yield from refs(below)


# -- the files ---------------------------------------------------------------------------------------------------


def test_files_are_as_generated() -> None:
    found = {path: path.read_text("utf-8") for path in FOLDER.iterdir()}
    assert found == schema_files(), "docs/reference/schemas/ is out of date: run `make docs`"


@pytest.mark.parametrize("name", [*event_types(), *OUTBOUND, *INBOUND])
def test_schema_is_valid(name: str) -> None:
    schema = schema_named(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == name
    wanted = {ref.removeprefix("#/$defs/") for ref in refs(schema)}
    assert wanted == schema.get("$defs", {}).keys(), "every definition is used, and there is one for every use"


@pytest.mark.parametrize("name", [*event_types(), *OUTBOUND])
def test_what_a_kiosk_publishes_is_described(name: str) -> None:
    assert schema_named(name)["description"].endswith(".")


# -- AsyncAPI ----------------------------------------------------------------------------------------------------


def asyncapi() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "asyncapi.json").read_text("utf-8"))
    return found


def test_asyncapi_refers_to_what_there_is() -> None:
    api = asyncapi()
    assert api["asyncapi"] == "3.0.0"
    for ref in refs(api):
        if ref.startswith("#/"):
            place: Any = api
            for step in ref.removeprefix("#/").split("/"):
                place = place[step]
        else:
            assert (FOLDER / ref).exists()
    assert {ref.removesuffix(".json") for ref in refs(api) if not ref.startswith("#")} == {
        *event_types(), *OUTBOUND, *INBOUND
    }  # fmt: skip


def test_asyncapi_names_every_parameter_of_an_address() -> None:
    for channel in asyncapi()["channels"].values():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == channel["parameters"].keys()


def test_asyncapi_has_every_topic_that_a_kiosk_subscribes_to() -> None:
    api = asyncapi()
    received = {
        api["channels"][name]["address"] for name, one in api["operations"].items() if one["action"] == "receive"
    }
    filters = {re.sub(r"(?<=/)\{(?!site|kiosk)\w+\}", "+", address) for address in received}
    subscribed = set(Topics("{site}", "{kiosk}").subscriptions)
    assert subscribed == filters - {"kiosk/v1/{site}/agent/{kiosk}/request/resend"}, "that one is within request/+"


@pytest.mark.parametrize("name", asyncapi()["channels"])
def test_harness_finds_the_schema_of_every_channel(name: str) -> None:
    api = asyncapi()
    topic = re.sub(r"\{\w+\}", "x", api["channels"][name]["address"])
    for message in api["channels"][name]["messages"]:
        validator = validator_for(topic, {"type": message})
        assert validator is not None
        assert isinstance(validator.schema, dict)
        assert validator.schema["title"] == message


# -- messages ----------------------------------------------------------------------------------------------------


def test_event_of_the_code_is_one_of_the_schema() -> None:
    assert problems(f"{AGENT}/event/scan", document(ACCEPTED, ENVELOPE, 42)) == []


def test_event_without_station_or_order_is_one_of_the_schema() -> None:
    event = Rejected(reason=Reason.NOT_SIGNED_IN, code="x", seen=None, symbology=None, scanner=None, order=None)
    assert problems(f"{AGENT}/event/scan", document(event, ENVELOPE, 1)) == []


def test_operators_of_a_packing_are_named_by_role() -> None:
    def packed(**operators: str | None) -> list[str]:
        event = PackingConfirmed(order="SO-1", revision=3, lines=(), boxes=(), operators=operators)
        return problems(f"{AGENT}/event/order", document(event, ENVELOPE, 1))

    assert packed(picking="E7", packing="E8", shipping=None) == []
    assert packed(picking="E7", packing="E8")
    assert packed(picking="E7", packing="E8", shipping=None, cleaning="E9")


def test_stand_in_is_an_event_of_its_own() -> None:
    stand_in = undeliverable(document(ACCEPTED, ENVELOPE, 42), "0x97: quota exceeded")
    assert problems(f"{AGENT}/event/journal", stand_in) == []


@pytest.mark.parametrize("name", EVENTS)
def test_private_fields_are_in_no_schema(name: str) -> None:
    fields = schema_named(f"kiosk.{name}.v1")["properties"]["data"]["properties"].keys()
    assert fields == set(EVENTS[name].__struct_fields__) - {"station", "by", *EVENTS[name].private}


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": "42"},
        {"uptimems": 812345},
        {"time": "2026-11-22T17:53:01Z"},
        {"type": "kiosk.scan.weighed.v1"},
        {"colour": "blue"},
        {"data": {}},
    ],
)
def test_event_of_another_form_is_not_one_of_the_schema(change: dict[str, Any]) -> None:
    event = json.loads(document(ACCEPTED, ENVELOPE, 42)) | change
    assert problems(f"{AGENT}/event/scan", payload(event))


def test_manifest_of_the_tests_is_one_of_the_schema_and_may_have_more_fields() -> None:
    assert problems("kiosk/v1/rtm1/order/SO-1001", payload({**MANIFEST, "priority": 1})) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [(("revision",), "3"), (("status",), "withdrawn"), (("lines", 0, "gtins", 0), "1"), (("lines", 1, "quantity"), 0)],
)
def test_manifest_that_is_refused_is_not_one_of_the_schema(path: tuple[str | int, ...], value: object) -> None:
    assert problems("kiosk/v1/rtm1/order/SO-1001", payload(changed(MANIFEST, path, value)))


def test_topic_of_no_message_has_no_schema(tmp_path: Path) -> None:
    assert validator_for("kiosk/v1/rtm1/weather", {}) is None
    assert validator_for(f"{AGENT}/event/scan", {"type": "../status"}) is None
