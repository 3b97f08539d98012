"""Measure a storage of thingsboard-gateway, in a process of its own: `python -m bench.peer_storage KIND FOLDER COUNT`.

It prints a line of JSON: the microseconds of each put, and the events a second from the first pack taken to the last.
"""

import importlib
import json
import logging
import sys
import threading
import time
from typing import Any

__all__ = ["main"]

EVENT = json.dumps({"deviceName": "dock-3", "telemetry": [{"ts": 1790000000000, "values": {"code": "4" * 300}}]})
DEADLINE_S = 120.0


class _Logger(logging.Logger):
    """The gateway's loggers have one level more, `trace`."""

    def trace(self, *_: object) -> None:
        """Drop the record."""


def _storage(kind: str, folder: str, count: int) -> Any:
    # Imported by name: the gateway is no dependency of ours.
    logger = _Logger("storage", logging.ERROR)
    if kind == "file":
        module = importlib.import_module("thingsboard_gateway.storage.file.file_event_storage")
        settings = {"data_folder_path": f"{folder}/", "max_records_per_file": 10_000, "max_file_count": count}
        return module.FileEventStorage(settings, logger, threading.Event())
    module = importlib.import_module("thingsboard_gateway.storage.sqlite.sqlite_event_storage")
    return module.SQLiteEventStorage({"data_file_path": f"{folder}/"}, logger, threading.Event())


def main(kind: str, folder: str, count: int) -> None:
    storage = _storage(kind, folder, count)
    puts = []
    for _ in range(count):
        began = time.perf_counter_ns()
        if not storage.put(EVENT):
            raise RuntimeError("the storage takes no more")
        puts.append((time.perf_counter_ns() - began) / 1e3)
    began_s = time.monotonic()
    taken = 0
    while taken < count:
        pack = storage.get_event_pack()
        taken += len(pack)
        storage.event_pack_processing_done()
        if not pack:
            time.sleep(0.001)
        if time.monotonic() > began_s + DEADLINE_S:
            raise TimeoutError(f"{taken} of {count} events came back")
    took_s = time.monotonic() - began_s
    print(json.dumps({"puts": puts, "per_s": count / took_s}), flush=True)
    storage.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
