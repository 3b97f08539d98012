"""`kiosk-agent demo`: the whole thing on one machine, without hardware."""

from pathlib import Path

__all__ = ["demo"]


def demo(*, play: bool = False, broker: str = "auto", svg: Path | None = None) -> int:
    """Run the demonstration, by itself with `play`; the exit code. `broker` is `auto`, `mosquitto` or `embedded`.

    `svg` is a file for the picture of a moment of the play. Raises KioskError.
    """
    from agent.demo.broker import BrokerChoice
    from agent.demo.demo import run

    return run(play=play, broker=BrokerChoice(broker), svg=svg)
