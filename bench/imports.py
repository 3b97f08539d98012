"""Import what the reference of a start imports: the modules of `budgets.md#start`, and one model.

It is a process of its own: `python -m bench.imports`. It prints a line when they are imported, and ends with its
standard input.
"""

import sys


def main() -> None:
    import asyncio  # noqa: F401
    import sqlite3  # noqa: F401

    import evdev  # noqa: F401
    import gpiozero  # noqa: F401
    import paho.mqtt.client  # noqa: F401
    import serial  # noqa: F401
    import tinydb  # noqa: F401
    from pydantic import BaseModel

    class Line(BaseModel):
        line: str
        sku: str
        quantity: int

    Line(line="1", sku="P13", quantity=1)
    print("imported", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
