"""The exit codes of every command, and the one table that maps errors to them (`commands.md#exit-codes`)."""

from enum import IntEnum

from agent.errors import DeviceError, JournalBusy, JournalDamaged, KioskError

__all__ = ["ExitCode", "exit_code_of"]


class ExitCode(IntEnum):
    """Why a process ended. systemd restarts the daemon after any code but 1, 2 and 3.

    69 and 75 are EX_UNAVAILABLE and EX_TEMPFAIL of sysexits.h.
    """

    OK = 0
    REFUSED = 1
    """The configuration, or what was asked for, is refused."""
    USAGE = 2
    """Wrong arguments on the command line."""
    DAMAGED = 3
    """State on disk that must not be overwritten."""
    DEVICE = 69
    """A light, button or scanner cannot be opened. It may work at the next try."""
    BUG = 70
    """An unexpected exception. Python's own code for that is 1, which here means that the configuration is refused."""
    BUSY = 75
    """Another process uses the state directory. It may be free at the next try."""
    INTERRUPTED = 130
    BROKEN_PIPE = 141


_CODES: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (JournalDamaged, ExitCode.DAMAGED),
    (JournalBusy, ExitCode.BUSY),
    (DeviceError, ExitCode.DEVICE),
    (KioskError, ExitCode.REFUSED),
    (KeyboardInterrupt, ExitCode.INTERRUPTED),
    (BrokenPipeError, ExitCode.BROKEN_PIPE),
)
"""The first row whose type matches is used, so a subclass comes before its base class."""


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the exit code of a process that ends with this error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.BUG)
