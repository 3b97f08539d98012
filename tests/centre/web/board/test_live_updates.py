"""The streams that tell pages of changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import pytest
from sse_starlette import ServerSentEvent

from centre.changes import Change, Changes
from centre.web.board import live_updates
from centre.web.board.live_updates import LiveStreams, changes_for
from tests.centre.web.conftest import Centre


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_updates, "AT_MOST_EVERY_S", 0.01)


class Scene:
    """Streams over changes, in a running event loop."""

    def __init__(self, **limits: int) -> None:
        self.changes = Changes(asyncio.get_running_loop())
        self.streams = LiveStreams(**limits)
        self.may_read = True

    def open(self, viewer: str = "robin") -> AsyncIterator[ServerSentEvent]:
        async def may_go_on() -> bool:
            return self.may_read

        return changes_for(self.streams, self.changes, viewer, [Change.ORDERS], may_go_on)


async def name_of(stream: AsyncIterator[ServerSentEvent]) -> str | None:
    return (await asyncio.wait_for(anext(stream), 5)).event


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test(), 10)

    asyncio.run(limited())


def test_change_is_told_and_others_are_not() -> None:
    async def test() -> None:
        scene = Scene()
        async with aclosing(scene.open()) as stream:  # type: ignore[type-var]
            first = asyncio.create_task(name_of(stream))
            await asyncio.sleep(0.01)
            scene.changes.tell(Change.CONFLICTS)
            await asyncio.sleep(0.05)
            assert not first.done()
            scene.changes.tell(Change.ORDERS)
            assert await first == "changed"

    run(test)


def test_changes_in_quick_succession_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_updates, "AT_MOST_EVERY_S", 0.2)

    async def test() -> None:
        scene = Scene()
        async with aclosing(scene.open()) as stream:  # type: ignore[type-var]
            first = asyncio.create_task(name_of(stream))
            await asyncio.sleep(0.01)
            for _ in range(50):
                scene.changes.tell(Change.ORDERS)
            assert await first == "changed"
            started = asyncio.get_running_loop().time()
            scene.changes.tell(Change.ORDERS)
            assert await name_of(stream) == "changed"
            assert asyncio.get_running_loop().time() - started >= 0.19

    run(test)


def test_stream_ends_with_the_session() -> None:
    async def test() -> None:
        scene = Scene()
        stream = scene.open()
        first = asyncio.create_task(name_of(stream))
        await asyncio.sleep(0.01)
        scene.may_read = False
        scene.changes.tell(Change.ORDERS)
        assert await first == "ended"
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        assert len(scene.streams) == 0

    run(test)


def test_idle_stream_looks_whether_its_session_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_updates, "CHECK_EVERY_S", 0.02)

    async def test() -> None:
        scene = Scene()
        first = asyncio.create_task(name_of(scene.open()))
        await asyncio.sleep(0.05)
        assert not first.done()
        scene.may_read = False
        assert await first == "ended"

    run(test)


def test_oldest_stream_of_a_viewer_makes_room() -> None:
    async def test() -> None:
        scene = Scene(most_for_one=2)
        waiting = []
        for viewer in ("robin", "kim", "robin", "robin"):
            waiting.append(asyncio.create_task(name_of(scene.open(viewer))))
            await asyncio.sleep(0.01)
        assert await waiting[0] == "ended"
        await asyncio.sleep(0.02)
        assert [task.done() for task in waiting] == [True, False, False, False]
        scene.changes.tell(Change.ORDERS)
        assert [await task for task in waiting[1:]] == ["changed"] * 3

    run(test)


def test_one_stream_too_many_ends_at_once() -> None:
    async def test() -> None:
        scene = Scene(most=1)
        first = asyncio.create_task(name_of(scene.open("robin")))
        await asyncio.sleep(0.01)
        assert await name_of(scene.open("kim")) == "ended"
        assert not first.done()
        first.cancel()

    run(test)


def test_stop_of_the_centre_ends_streams_and_their_pages_come_back() -> None:
    async def test() -> None:
        scene = Scene()
        task = asyncio.create_task(name_of(scene.open()))
        await asyncio.sleep(0.01)
        scene.streams.end_all()
        with pytest.raises(StopAsyncIteration):  # without `ended`, upon which a page would not come back
            await task

    run(test)


def test_stream_that_is_closed_is_forgotten() -> None:
    async def test() -> None:
        scene = Scene()
        stream = scene.open()
        task = asyncio.create_task(name_of(stream))
        await asyncio.sleep(0.01)
        assert len(scene.streams) == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(scene.streams) == 0

    run(test)


def test_strangers_get_no_stream(sqlite_centre: Centre) -> None:
    response = sqlite_centre.client().get("/live?of=benches", follow_redirects=False)
    assert (response.status_code, response.text) == (401, "")


def test_there_is_no_other_stream(public_day: Centre) -> None:
    assert public_day.client().get("/live?of=secrets").status_code == 404
