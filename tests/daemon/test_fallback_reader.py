"""The main thread reads the devices while the owner of their loop is busy."""

import asyncio
import os
import threading

from agent.daemon.fallback_reader import reading_as_fallback
from agent.runtime.event_loop import EventLoop


def test_input_and_timers_are_served_while_the_owner_is_busy() -> None:
    async def main() -> None:
        device_loop = EventLoop()
        reading, writing = os.pipe()
        read: list[tuple[bytes, str]] = []
        device_loop.add_reader(reading, lambda: read.append((os.read(reading, 10), threading.current_thread().name)))
        timer = threading.Event()
        device_loop.call_later(0.01, timer.set)
        with reading_as_fallback(asyncio.get_running_loop(), device_loop):
            device_loop.acquire()
            os.write(writing, b"scan")
            await asyncio.sleep(0.05)
            assert read == [], "the owner has the loop"
            device_loop.release()
            while not (read and timer.is_set()):
                await asyncio.sleep(0.01)
        assert read == [(b"scan", threading.main_thread().name)]
        os.write(writing, b"later")
        await asyncio.sleep(0.15)
        assert len(read) == 1, "nothing is read any more"
        device_loop.close()
        os.close(reading)
        os.close(writing)

    asyncio.run(asyncio.wait_for(main(), 30))
