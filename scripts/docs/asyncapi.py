"""The AsyncAPI document: every topic, what is on it, and who publishes it.

Source: AsyncAPI specification 3.0.0. It is written from the side of the kiosk: what a kiosk sends, others receive.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from agent.contract.cloudevents import topic_of
from agent.contract.topics import Topics
from scripts.docs.schemas import INBOUND, OUTBOUND, event_types

__all__ = ["Channel", "asyncapi", "channels"]

_TOPICS = Topics("{site}", "{kiosk}")
_SITE = "kiosk/v1/{site}"
_SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"

_PARAMETERS = {
    "site": "The site's id, `[A-Za-z0-9_-]{1,64}`.",
    "kiosk": "The kiosk's id, `[A-Za-z0-9_-]{1,64}`.",
    "station": "The station's id, `[A-Za-z0-9_-]{1,64}`.",
    "transaction": "The request's transaction; bytes outside `[A-Za-z0-9_-]` are `%XX`.",
    "order": "The order's id; UTF-8 bytes outside `[A-Za-z0-9_-]` are `%XX`.",
    "part": "The name of a part of the list.",
    "digit": "The first hex digit of the SHA-256 of the order ids in this part, `0` to `f`.",
    "verdict": "The verdict's id.",
    "name": "What is requested: `identify`, `health` or `reload`.",
}


class Channel(NamedTuple):
    """One kind of topic."""

    name: str
    topic: str
    title: str
    messages: tuple[str, ...]
    """The names of their schemas."""
    is_retained: bool
    is_sent: bool
    """By the kiosk; else it receives."""


def _sent(name: str, topic: str, title: str, *messages: str, retained: bool = True) -> Channel:
    return Channel(name, topic, title, messages, retained, True)


def _received(name: str, topic: str, title: str, *messages: str, retained: bool = True) -> Channel:
    return Channel(name, topic, title, messages, retained, False)


def _event_channels() -> Iterable[Channel]:
    by_category: dict[str, list[str]] = {}
    for name in event_types():
        by_category.setdefault(topic_of(f'"type":"{name}"'.encode()), []).append(name)
    for category, names in by_category.items():
        title = "Events"
        yield _sent(f"event-{category}", _TOPICS.event(category), title, *names, retained=False)


def channels() -> tuple[Channel, ...]:
    """Return every kind of topic, what the kiosk sends first."""
    own, reference = _TOPICS.view, f"{_SITE}/reference"
    return (
        *_event_channels(),
        _sent("status", _TOPICS.status, "Whether the kiosk is online; also its will", "status"),
        _sent("health", own("health"), "The state of the kiosk as a whole", "health"),
        _sent("station", own("station/{station}"), "What a station is doing", "station"),
        _sent("response", own("response/{transaction}"), "The answer to a request", "response", retained=False),
        _received("order", f"{_SITE}/order/{{order}}", "A manifest; an empty message withdraws it", "manifest"),
        _received("orders", f"{reference}/orders", "The index of orders", "order-index"),
        _received("orders-part", f"{reference}/orders/{{digit}}", "A part of the index of orders", "order-index"),
        _received("counted", f"{_SITE}/counted/{{order}}/{{part}}", "What kiosks have packed for an order", "counted"),
        _received("operators", f"{reference}/operators", "Who may work", "operators"),
        _received("boxes", f"{reference}/boxes", "The box sizes", "box-sizes"),
        _received("blocked", f"{reference}/blocked/{{part}}", "Units that may not ship", "blocked-units"),
        _received("ack", _TOPICS.ack, "What the consumer has stored", "ack"),
        _received("verdict", own("verdict/{verdict}"), "A unit may not ship, or may again", "verdict"),
        _received("request", own("request/{name}"), "A request to this kiosk", "request", retained=False),
        _received("request-resend", own("request/resend"), "Publish events again", "request-resend", retained=False),
    )


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI document. Its messages refer to the schemas beside it."""
    found = channels()
    names = (*event_types(), *OUTBOUND, *INBOUND)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "kiosk-agent",
            "version": "v1",
            "description": "What a kiosk and the centre say to each other over MQTT. `mqtt.md` has the rules.",
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in found},
        "operations": {channel.name: _operation(channel) for channel in found},
        "components": {
            "messages": {name: _message(name) for name in names},
            "parameters": {name: {"description": text} for name, text in _PARAMETERS.items()},
        },
    }


def _channel(channel: Channel) -> Mapping[str, Any]:
    named = [name for name in _PARAMETERS if f"{{{name}}}" in channel.topic]
    return {
        "address": channel.topic,
        "title": channel.title,
        "parameters": {name: {"$ref": f"#/components/parameters/{name}"} for name in named},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.messages},
    }


def _operation(channel: Channel) -> Mapping[str, Any]:
    return {
        "action": "send" if channel.is_sent else "receive",
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{name}"} for name in channel.messages],
        "bindings": {"mqtt": {"qos": 1, "retain": channel.is_retained}},
    }


def _message(name: str) -> Mapping[str, Any]:
    content = {"contentType": "application/cloudevents+json"} if name in event_types() else {}
    return {**content, "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"{name}.json"}}}
