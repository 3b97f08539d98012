"""Two sites for all tests of orders."""

import pytest

from centre.store.database import Database
from centre.store.site_rows import add_sites
from tests.centre.orders.scene import NOW


@pytest.fixture
def sited(database: Database) -> Database:
    """A database of a centre with the sites `ams1` and `rtm1`."""
    with database.writing() as connection:
        add_sites(connection, ["rtm1", "ams1"], NOW)
    return database
