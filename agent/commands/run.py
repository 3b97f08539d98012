"""`kiosk-agent run`: the daemon (`commands.md#run`)."""

import logging
import resource
import signal
from contextlib import suppress
from pathlib import Path

from agent.config import load, salvage
from agent.errors import ConfigError
from agent.runtime import log

__all__ = ["run"]

_log = logging.getLogger(__name__)

_DESCRIPTORS = 65_536


def run(config_path: Path) -> int:
    """Run the daemon until it is told to stop; return its exit code.

    Raises ConfigError for a refused configuration, after it was shown and published (`commands.md#failure-at-start`).
    """
    log.configure()
    _allow_many_descriptors()
    # A reload that is asked for before the daemon listens must not end it (`commands.md#reload`).
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        config = load(config_path)
    except ConfigError as exc:
        _tell_failure(config_path, exc)
        raise
    from agent.daemon.root import run as run_daemon

    return run_daemon(config)


def _allow_many_descriptors() -> None:
    """Raise the limit of open descriptors from the usual 1,024 to what is allowed: each station takes a few.

    The usual limit protects programs that call select(). Nothing here does.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    with suppress(ValueError, OSError):
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tell_failure(config_path: Path, refused: ConfigError) -> None:
    from agent.daemon.failure import tell_failure

    for problem in refused.problems:
        _log.critical("the configuration is refused: %s", problem)
    first, *others = refused.problems
    more = f" (and {len(others)} more)" if others else ""
    sound = salvage(config_path)
    tell_failure(
        reason=f"configuration refused: {first}{more}",
        kiosk=sound.kiosk,
        mqtt=sound.mqtt,
        indicators=sound.indicators,
    )
