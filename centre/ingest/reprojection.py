"""Project events that were not understood when they came: after an upgrade of the centre, or a mending."""

from centre.ingest.projecting import Projected, Renew, project_late, unit_event_rows
from centre.ingest.reception import event_in
from centre.projection.projector import Fact
from centre.projection.understand import KNOWN_TYPES
from centre.store import event_rows
from centre.store.database import Database
from centre.store.event_rows import EventState
from centre.store.statements import chunks

__all__ = ["project_again"]

CHUNK = 500


def project_again(database: Database, *, now: str, renew: Renew) -> Projected:
    """Try all events that are not understood. Those that this version understands take effect at their place.

    Raises DatabaseDown; what was projected before stays so.
    """
    projected = Projected()
    with database.reading() as connection:
        positions = event_rows.not_understood(connection, KNOWN_TYPES)
    for some in chunks(positions, CHUNK):
        with database.writing() as connection:
            event_rows.reserve_positions(connection, 1)  # no other transaction stores events meanwhile
            facts = [
                Fact(document.journal_id, document.position, document.time, event)
                for document in event_rows.documents_to_project(connection, some)
                if (event := event_in(document.document, document.order_name)) is not None
            ]
            event_rows.set_states(connection, [(fact.position, EventState.PROJECTED) for fact in facts])
            event_rows.insert_unit_events(connection, unit_event_rows(facts))
            projected |= project_late(connection, facts, now=now, renew=renew)
    return projected
