"""What can go wrong, named for the person who meets it. Imports nothing, so that everything may import it."""

__all__ = [
    "CacheDamaged",
    "ConfigError",
    "DeviceError",
    "JournalBusy",
    "JournalDamaged",
    "JournalFault",
    "KioskError",
]


class KioskError(Exception):
    """Base of all errors raised on purpose; its text is one line that a person can act on."""


class ConfigError(KioskError, ValueError):
    """The configuration is refused. `problems` has one line for each error found, all of them at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class DeviceError(KioskError, OSError):
    """A scanner, light or button cannot be opened or has failed."""


class JournalFault(KioskError, OSError):
    """A commit or a read failed in the storage (full, read-only, input/output error); it may work again later."""


class JournalBusy(JournalFault):
    """Another process has the journal open."""


class JournalDamaged(KioskError, ValueError):
    """The journal on disk is damaged and must not be overwritten. `path` and `offset` say where."""

    def __init__(self, path: str, offset: int, what: str) -> None:
        super().__init__(f"{path}: at byte {offset}: {what}")
        self.path = path
        self.offset = offset
        self.what = what


class CacheDamaged(KioskError, ValueError):
    """The cache of what the centre told us is damaged; it can be fetched again."""
