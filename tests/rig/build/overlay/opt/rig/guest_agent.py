#!/usr/bin/python3
"""Run the rig's requests in the guest: one JSON request a line on the virtio-serial port "rig.agent", answered by id.

`guest_agent.py [DEVICE]`: a serial line is as good, where the board has no virtio.

{"id", "cmd": shell text, "timeout"} -> {"id", "rc", "out"}; {"id", "bg": shell text, "log"} -> {"id", "pid"};
{"id", "put": path, "b64", "mode"} -> {"id", "rc"}; {"id", "get": path} -> {"id", "b64"}; what fails -> {"id", "err"}.
"""

import base64
import json
import os
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path
from typing import Any


def find_port() -> str:
    while True:
        for port in Path("/sys/class/virtio-ports").glob("*"):
            if (port / "name").read_text().strip() == "rig.agent":
                return f"/dev/{port.name}"
        time.sleep(0.05)


class GuestAgent:
    def __init__(self, port: str) -> None:
        self._fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
        if os.isatty(self._fd):
            tty.setraw(self._fd)
        self._lock = threading.Lock()

    def serve(self) -> None:
        self._send({"id": 0, "uptime": float(Path("/proc/uptime").read_text().split()[0])})
        waiting = b""
        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                data = b""
            if not data:
                time.sleep(0.05)  # nobody is connected
                continue
            *lines, waiting = (waiting + data).split(b"\n")
            for line in lines:
                threading.Thread(target=self._answer, args=(json.loads(line),), daemon=True).start()

    def _send(self, message: dict[str, Any]) -> None:
        data = (json.dumps(message) + "\n").encode()
        with self._lock:
            while data:
                data = data[os.write(self._fd, data) :]

    def _answer(self, request: dict[str, Any]) -> None:
        try:
            answer = self._do(request)
        except subprocess.TimeoutExpired as exc:
            answer = {"rc": 124, "out": (exc.output or b"").decode("utf-8", "replace")}
        except (OSError, ValueError) as exc:
            answer = {"err": repr(exc)}
        self._send({"id": request["id"], **answer})

    def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        if "cmd" in request:
            done = subprocess.run(
                ["/bin/sh", "-c", request["cmd"]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=request["timeout"],
                check=False,
            )
            return {"rc": done.returncode, "out": done.stdout.decode("utf-8", "replace")}
        if "bg" in request:
            with open(request["log"], "ab") as log:
                process = subprocess.Popen(
                    ["/bin/sh", "-c", f"exec {request['bg']}"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            threading.Thread(target=process.wait, daemon=True).start()
            return {"pid": process.pid}
        if "put" in request:
            path = Path(request["put"])
            path.write_bytes(base64.b64decode(request["b64"]))
            path.chmod(request["mode"])
            return {"rc": 0}
        return {"b64": base64.b64encode(Path(request["get"]).read_bytes()).decode()}


if __name__ == "__main__":
    GuestAgent(sys.argv[1] if sys.argv[1:] else find_port()).serve()
