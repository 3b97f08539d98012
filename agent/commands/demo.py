"""`kiosk-agent demo`: a kiosk on one machine, without hardware (`commands.md#demo`)."""

__all__ = ["demo"]


def demo(*, play: bool = False) -> int:
    """Run the demo, by itself with `play`; return the exit code. Raises KioskError."""
    from agent.demo.demo import run

    return run(is_play=play)
