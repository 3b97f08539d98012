"""`kiosk-centre run`: the centre itself."""

import asyncio
import logging
import sys

from centre.centre_errors import CentreError
from centre.composition import Centre
from centre.configuration.centre_settings import CentreSettings
from centre.exit_status import ExitStatus, exit_status_of
from centre.process.centre_log import configure_log
from centre.process.stopping import ignore_hangups

__all__ = ["run"]

_log = logging.getLogger(__name__)


def run(settings: CentreSettings) -> int:
    """Run until SIGTERM or SIGINT; return the exit code (`centre-commands.md#exit-codes`)."""
    configure_log()
    ignore_hangups()
    try:
        asyncio.run(Centre(settings, sys.stdout).run())
    except CentreError as exc:
        _log.critical("the centre ends", extra={"why": exc})
        return exit_status_of(exc)
    except Exception as exc:  # noqa: BLE001 - the one place where an error of the centre ends
        _log.critical("a bug ends the process", exc_info=exc)
        return ExitStatus.BUG
    return ExitStatus.OK
