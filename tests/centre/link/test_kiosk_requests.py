"""Requests to kiosks: over every broker, answered by the kiosk that was asked, or not at all."""

import asyncio
import json
from collections.abc import Callable

import pytest

from centre.centre_errors import LinkDown
from centre.link.broker_link import BrokerLink
from centre.link.kiosk_requests import KioskRequests, KioskSilent
from centre.link.received import Received
from tests.centre.link.rig import run_async

ASKED = "kiosk/v1/rtm1/agent/dock-3/request/resend"
ANSWER = "kiosk/v1/rtm1/agent/dock-3/response/t-1"


class FakeLink(BrokerLink):
    """A broker that hands each publish to the test."""

    def __init__(
        self, on_publish: Callable[[str, bytes], None] = lambda *_: None, *, is_connected: bool = True
    ) -> None:
        self._on_publish = on_publish
        self._is_connected = is_connected
        self.published: list[tuple[str, bytes, bool]] = []

    @property
    def name(self) -> str:
        return "broker:1"

    @property
    def sites(self) -> tuple[str, ...]:
        return ("rtm1",)

    @property
    def is_connected(self) -> bool:
        return self._is_connected

    async def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if not self._is_connected:
            raise LinkDown("down")
        self.published.append((topic, payload, retain))
        self._on_publish(topic, payload)


def requests_over(*links: BrokerLink) -> KioskRequests:
    return KioskRequests(lambda site: links if site == "rtm1" else (), new_id=lambda: "t-1")


def message(topic: str, payload: bytes, *, retained: bool = False) -> Received:
    return Received("broker:1", topic, payload, retained, "2026-11-28T12:00:00.000Z")


def test_the_answer_is_returned() -> None:
    async def test() -> None:
        answer = {"transaction": "t-1", "request": "resend", "ok": True, "pruned": []}
        first = FakeLink(lambda *_: requests.answered(message(ANSWER, json.dumps(answer).encode())))
        second, down = FakeLink(), FakeLink(is_connected=False)
        requests = requests_over(first, second, down)
        assert await requests.send("rtm1", "dock-3", "resend", {"journal": "3F0C9A1B"}) == answer
        for link in (first, second):
            ((topic, payload, retain),) = link.published
            assert (topic, retain) == (ASKED, False)
            assert json.loads(payload) == {"transaction": "t-1", "journal": "3F0C9A1B"}
        assert down.published == []

    run_async(test())


@pytest.mark.parametrize(
    "stranger",
    [
        message("kiosk/v1/rtm1/agent/dock-4/response/t-1", b"{}"),  # another kiosk
        message("kiosk/v1/rtm1/agent/dock-3/response/t-2", b"{}"),
        message(ANSWER, b"{}", retained=True),
        message(ANSWER, b"[]"),
        message(ANSWER, b"no JSON"),
        message(ANSWER, b"\xff"),
        message(ANSWER, b'{"a":"' + b"x" * 70_000 + b'"}'),
    ],
)
def test_what_is_no_answer_is_left_out(stranger: Received) -> None:
    async def test() -> None:
        requests = requests_over(FakeLink(lambda *_: requests.answered(stranger)))
        with pytest.raises(KioskSilent, match="dock-3"):
            await requests.send("rtm1", "dock-3", "identify", timeout_s=0.05)
        requests.answered(message(ANSWER, b"{}"))  # too late, and harmless

    run_async(test())


def test_the_first_of_two_answers_counts() -> None:
    async def test() -> None:
        def answer(_topic: str, _payload: bytes) -> None:
            requests.answered(message(ANSWER, b'{"ok":1}'))
            requests.answered(message(ANSWER, b'{"ok":2}'))

        requests = requests_over(FakeLink(answer))
        assert await requests.send("rtm1", "dock-3", "identify") == {"ok": 1}

    run_async(test())


def test_no_broker_is_no_silence_of_the_kiosk() -> None:
    async def test() -> None:
        with pytest.raises(LinkDown, match="no broker of site rtm1"):
            await requests_over(FakeLink(is_connected=False)).send("rtm1", "dock-3", "identify")
        with pytest.raises(LinkDown):
            await requests_over(FakeLink()).send("other", "dock-3", "identify")

    run_async(test())


def test_a_broker_that_never_answers_does_not_hold_the_caller() -> None:
    class Hanging(FakeLink):
        async def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
            await asyncio.sleep(3600)

    async def test() -> None:
        with pytest.raises(KioskSilent):
            await requests_over(Hanging()).send("rtm1", "dock-3", "identify", timeout_s=0.05)

    run_async(test())


def test_a_broker_that_hangs_does_not_keep_the_answer_of_another_one() -> None:
    class Hanging(FakeLink):
        async def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
            await asyncio.sleep(3600)

    async def test() -> None:
        other = FakeLink(lambda *_: requests.answered(message(ANSWER, b'{"ok":true}')))
        requests = requests_over(Hanging(), other)
        assert await requests.send("rtm1", "dock-3", "identify", timeout_s=2) == {"ok": True}
        await asyncio.wait_for(requests.post("rtm1", "dock-3", "resend", "t-9", {}), 2)

    run_async(test())


def test_an_answer_that_is_too_deep_is_none() -> None:
    async def test() -> None:
        deep = message(ANSWER, b"[" * 50_000)
        requests = requests_over(FakeLink(lambda *_: requests.answered(deep)))
        with pytest.raises(KioskSilent):
            await requests.send("rtm1", "dock-3", "identify", timeout_s=0.05)

    run_async(test())


def test_a_request_can_be_sent_whose_answer_somebody_else_waits_for() -> None:
    async def test() -> None:
        link = FakeLink()
        await requests_over(link).post("rtm1", "dock-3", "resend", "t-9", {"from": "000000000001"})
        ((topic, payload, retain),) = link.published
        assert (topic, retain) == (ASKED, False)
        assert json.loads(payload) == {"transaction": "t-9", "from": "000000000001"}

    run_async(test())
