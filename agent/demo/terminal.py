"""The terminal while the demonstration has it: letters come as they are typed, and are not echoed."""

import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["letter_by_letter"]

_LOCAL = 3
_CONTROLS = 6


@contextmanager
def letter_by_letter(fd: int) -> Iterator[None]:
    """Switch line editing and echo off (Ctrl-C still interrupts), and back on at the end; nothing if it is no terminal.

    Only these flags are touched: a carriage return keeps arriving as a newline.
    """
    if not os.isatty(fd):
        yield
        return
    before = termios.tcgetattr(fd)
    now = termios.tcgetattr(fd)
    now[_LOCAL] &= ~(termios.ICANON | termios.ECHO)
    now[_CONTROLS][termios.VMIN] = 1
    now[_CONTROLS][termios.VTIME] = 0
    termios.tcsetattr(fd, termios.TCSADRAIN, now)
    try:
        yield
    finally:
        # TCSAFLUSH: what was typed and not read must not go to the shell.
        termios.tcsetattr(fd, termios.TCSAFLUSH, before)
