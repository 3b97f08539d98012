"""Find out which events are missing: behind gaps, and of what kiosks say they have delivered."""

from collections.abc import Collection

from sqlalchemy import Connection

from centre.ingest.gap_watch import THE_LAST, Missing, OldJournal, ToCheck
from centre.store import journal_rows
from centre.store.kiosk_rows import KioskName

__all__ = ["find_missing", "old_journals_of"]

GAPS_MAX = 1000
OLD_JOURNALS_MAX = 5
"""How many earlier journals a kiosk is asked about at a connect: the newest ones."""


def find_missing(connection: Connection, sites: Collection[str], check: ToCheck) -> list[Missing]:
    """Return the first missing range of each run of these sites, at most one for each.

    Of the journal that a kiosk has now, what it takes as delivered should be stored; the rest it sends by itself.
    """
    wanted = {(claim.kiosk, claim.journal): claim.acked for claim in check.claims}
    wanted.update({(old.kiosk, old.journal): last for old, last in check.old_journals.items()})
    stored = journal_rows.through_of(connection, wanted)
    found: dict[object, Missing] = {}
    for (kiosk, journal), last in wanted.items():
        through = stored.get((kiosk, journal), 0)
        if last > through and kiosk.site in sites:
            one = Missing(kiosk, journal, 0, through + 1, last)
            found[one.key] = one
    for gap in journal_rows.gaps(connection, sites, GAPS_MAX):
        following = journal_rows.next_stored(connection, gap.journal_id, gap.first)
        if following is not None:
            one = Missing(KioskName(gap.site, gap.kiosk), gap.journal, gap.branch, gap.first, following - 1)
            found[one.key] = one
    return list(found.values())


def old_journals_of(connection: Connection, connected: Collection[KioskName]) -> dict[OldJournal, int]:
    """Return what to ask kiosks for that have just connected: all that they have of earlier journals, and that is not
    stored.

    After the database was restored, nobody else knows whether there is any. A kiosk that has none answers just that.
    """
    found: dict[OldJournal, int] = {}
    for kiosk, journals in journal_rows.newest_journals(connection, connected).items():
        for journal in journals[1 : OLD_JOURNALS_MAX + 1]:
            found[OldJournal(kiosk, journal)] = THE_LAST
    return found
