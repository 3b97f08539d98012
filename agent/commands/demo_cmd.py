"""`kiosk-agent demo`: the whole thing on one machine, without hardware."""

__all__ = ["demo"]


def demo(*, play: bool = False) -> int:
    """Run the demonstration, by itself with `play`; the exit code."""
    from agent.demo.demo import run

    return run(play=play)
