"""The script that people write: a serial port, paho, nothing on disk. `python -m bench.bare_script PORT BROKER_PORT`.

It prints the monotonic time in nanoseconds after each publish, which is when such a script would beep.
"""

import json
import sys
import time

import serial
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

__all__ = ["main"]


def main(port: str, broker_port: int) -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker_port)
    client.loop_start()
    with serial.Serial(port) as scanner:
        print("ready", flush=True)
        while True:
            code = scanner.read_until(b"\r").strip().decode()
            client.publish("bare/scan", json.dumps({"code": code, "time": time.time()}), qos=1)
            print(time.monotonic_ns(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
