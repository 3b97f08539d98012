"""The errors that the agent raises on purpose. This module imports nothing, so that every other may import it."""

__all__ = [
    "CacheDamaged",
    "ConfigError",
    "DeviceError",
    "JournalBusy",
    "JournalDamaged",
    "JournalFault",
    "JournalOfAnotherVersion",
    "KioskError",
]


class KioskError(Exception):
    """The base of all errors raised on purpose. The text is one line that a person can act on."""


class ConfigError(KioskError, ValueError):
    """The configuration is refused. `problems` has a line for every error in it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class DeviceError(KioskError, OSError):
    """A scanner, light or button cannot be opened, or has failed."""


class JournalFault(KioskError, OSError):
    """The storage failed at a commit or a read: full, read-only, I/O error. It may work again later."""


class JournalBusy(JournalFault):
    """Another process has the journal open."""


class JournalDamaged(KioskError, ValueError):
    """The journal on disk is damaged, and must not be overwritten (`faults.md#damaged-journal`).

    `path` and `offset` say where, `what` says what is wrong there.
    """

    def __init__(self, path: str, offset: int, what: str) -> None:
        super().__init__(f"{path}: at byte {offset}: {what}")
        self.path = path
        self.offset = offset
        self.what = what


class JournalOfAnotherVersion(JournalDamaged):
    """Another version of the program wrote the journal, and this one does not understand it. Nothing is damaged.

    `what` names the version found and the one understood (`faults.md#another-version`).
    """


class CacheDamaged(KioskError, ValueError):
    """A file of the cache is damaged. The broker can send what was in it again."""
