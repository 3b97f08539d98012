"""The exit codes of every command, as the agent's, and the one table that maps errors to them."""

from enum import IntEnum

from centre.centre_errors import CentreBusy, CentreError, DatabaseDown, DatabaseRefused, LinkDown

__all__ = ["ExitStatus", "exit_status_of"]


class ExitStatus(IntEnum):
    """Why a process ended. systemd restarts the centre after any code but 1, 2 and 3.

    69 and 75 are EX_UNAVAILABLE and EX_TEMPFAIL of sysexits.h.
    """

    OK = 0
    REFUSED = 1
    """The configuration, or what was asked for, is refused."""
    USAGE = 2
    """Wrong arguments on the command line."""
    DAMAGED = 3
    """A database that must not be used: of a newer centre, of another program, or damaged."""
    UNAVAILABLE = 69
    """The database or a broker cannot be reached. It may work at the next try."""
    BUG = 70
    """An unexpected exception. Python's own code for that is 1, which here means that something is refused."""
    BUSY = 75
    """Another centre uses the database, or another program the port. It may be free at the next try."""
    INTERRUPTED = 130
    BROKEN_PIPE = 141


_STATUSES: tuple[tuple[type[BaseException], ExitStatus], ...] = (
    (DatabaseRefused, ExitStatus.DAMAGED),
    (DatabaseDown, ExitStatus.UNAVAILABLE),
    (LinkDown, ExitStatus.UNAVAILABLE),
    (CentreBusy, ExitStatus.BUSY),
    (CentreError, ExitStatus.REFUSED),
    (KeyboardInterrupt, ExitStatus.INTERRUPTED),
    (BrokenPipeError, ExitStatus.BROKEN_PIPE),
)
"""The first row whose type matches is used, so a subclass comes before its base class."""


def exit_status_of(error: BaseException) -> ExitStatus:
    """Return the exit code of a process that ends with this error."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), ExitStatus.BUG)
