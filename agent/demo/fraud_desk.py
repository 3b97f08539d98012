"""Somebody who knows which phone is stolen: publishes a verdict about it (`mqtt.md#verdicts`)."""

import json
import time
from collections.abc import Callable

from agent.contract.topics import Topics
from agent.demo.broker import HOST, PROTOCOL
from agent.demo.sample import KIOSK, SITE
from agent.errors import KioskError
from agent.uplink.client import Client
from agent.uplink.uplink_settings import BrokerSettings

__all__ = ["hold"]

_PATIENCE_S = 10.0


def hold(port: int, order: str, unit: str) -> None:
    """Have the kiosk hold a unit of an order. Raises KioskError if the broker does not answer."""
    settings = BrokerSettings(hosts=((HOST, port),), protocol=PROTOCOL, tls=False)
    verdict = {"revision": 1, "action": "hold", "order": order, "unit": unit, "reason": "reported stolen"}
    topic = Topics(SITE, KIOSK).view(f"verdict/stolen-{unit}")
    client = Client(settings, client_id="demo-fraud-desk")
    try:
        client.connect(HOST, port, timeout_s=_PATIENCE_S)
        _until(client, lambda: client.connack is not None)
        client.publish(topic, json.dumps(verdict).encode(), retain=True)
        _until(client, lambda: bool(client.pubacks()))
    finally:
        client.close()


def _until(client: Client, is_done: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not is_done():
        if time.monotonic() >= until:
            raise KioskError("the demo's broker does not answer")
        client.poll(until - time.monotonic())
