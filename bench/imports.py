"""The reference of a start: the modules that SPEC 9 names, and one model. `python -m bench.imports`, a process each.

Prints a line when they are imported, and lives until its standard input ends.
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
