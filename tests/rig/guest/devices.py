"""Make and use virtual scanners inside the guest: `devices.py IN OUT`, one JSON request a line in, one answer out.

{"make": name, "vendor", "product", "phys"}: a uinput keyboard; {"drop": name} takes it away.
{"type": [{"on", "send", "gap_ms"}, ...]}: types on all of them at once, a thread each; "one_by_one": one after another.
    `on` is a uinput keyboard, with `send` as [code, value] pairs; or /dev/hidgN, with [modifiers, usage] reports.
{"flood": name, "send"}: types on a uinput keyboard without any pause.

Each answer is {"ok": true, "at": CLOCK_MONOTONIC seconds}, or {"error": text}.
"""

import json
import os
import sys
import threading
import time
from typing import Any

from evdev import UInput, ecodes

_KEYS = list(range(1, 128))


class Devices:
    def __init__(self) -> None:
        self._keyboards: dict[str, UInput] = {}

    def do(self, request: dict[str, Any]) -> None:
        if "make" in request:
            self._keyboards[request["make"]] = UInput(
                {ecodes.EV_KEY: _KEYS},
                name=f"Rig scanner {request['make']}",
                vendor=request["vendor"],
                product=request["product"],
                phys=request.get("phys", "py-evdev-uinput"),
            )
        elif "drop" in request:
            self._keyboards.pop(request["drop"]).close()
        elif "flood" in request:
            self._keys(request["flood"], request["send"], 0.0)
        else:
            threads = [threading.Thread(target=self._type, args=(one,)) for one in request["type"]]
            for thread in threads:
                thread.start()
                if request.get("one_by_one"):
                    thread.join()
            for thread in threads:
                thread.join()

    def _type(self, one: dict[str, Any]) -> None:
        if one["on"].startswith("/dev/"):
            self._reports(one["on"], one["send"], one["gap_ms"] / 1000)
        else:
            self._keys(one["on"], one["send"], one["gap_ms"] / 1000)

    def _keys(self, name: str, keys: list[list[int]], gap_s: float) -> None:
        keyboard = self._keyboards[name]
        due = time.monotonic()
        for code, value in keys:
            keyboard.write(ecodes.EV_KEY, code, value)
            keyboard.syn()
            due = _pause(due, gap_s)

    def _reports(self, path: str, reports: list[list[int]], gap_s: float) -> None:
        gadget = os.open(path, os.O_WRONLY)
        due = time.monotonic()
        for modifiers, usage in reports:
            os.write(gadget, bytes([modifiers, 0, usage, 0, 0, 0, 0, 0]))
            due = _pause(due, gap_s)
        os.close(gadget)


def _pause(due: float, gap_s: float) -> float:
    """Keep the pace, although sleeping takes longer than asked for."""
    due += gap_s
    left = due - time.monotonic()
    if left > 0:
        time.sleep(left)
    return due


def main(requests_path: str, answers_path: str) -> None:
    devices = Devices()
    # Both FIFOs are open for reading and writing, so that nothing ends when the other side opens or closes them.
    answers = os.open(answers_path, os.O_RDWR)
    with open(os.open(requests_path, os.O_RDWR)) as requests:
        for line in requests:
            try:
                devices.do(json.loads(line))
                answer: dict[str, Any] = {"ok": True, "at": time.monotonic()}
            except (OSError, KeyError, ValueError) as exc:
                answer = {"error": repr(exc)}
            os.write(answers, (json.dumps(answer) + "\n").encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
