"""Errors that a person meets: each says what is wrong, where, and what to do."""

__all__ = [
    "CentreBusy",
    "CentreError",
    "DatabaseDown",
    "DatabaseRefused",
    "LeaseLost",
    "LinkDown",
    "Refused",
    "SettingsRefused",
]


class CentreError(Exception):
    """The base of all errors of the centre's own. Its text is for the person who runs the centre."""


class Refused(CentreError):
    """What was asked for is refused; nothing has changed."""


class SettingsRefused(CentreError):
    """The configuration file is refused. `problems` has a line for every error in it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class CentreBusy(CentreError):
    """Another centre uses the data directory."""


class DatabaseDown(CentreError):
    """The database cannot be reached, or its disk is full. It may work at the next try."""


class DatabaseRefused(CentreError):
    """The database works, but must not be used: its schema is of a newer centre, or it is no database of ours."""


class LinkDown(CentreError):
    """The connection to a broker ended before it answered."""


class LeaseLost(CentreError):
    """Another centre works for the site now. Nothing of this transaction is stored."""
