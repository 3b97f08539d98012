"""`kiosk-agent demo`: a kiosk on one machine, without hardware (commands.md#demo)."""

from pathlib import Path

__all__ = ["demo"]


def demo(*, play: bool = False, broker: str = "auto", svg: Path | None = None) -> int:
    """Run the demonstration; return its exit code. `broker` is `auto`, `mosquitto` or `embedded`.

    With `play` it plays a script. `svg` is a file for a picture of one moment of it. Raises KioskError.
    """
    from agent.demo.broker import BrokerChoice
    from agent.demo.demo import run

    return run(play=play, broker=BrokerChoice(broker), svg=svg)
