"""One running kiosk for each module, unless the module makes its own."""

from collections.abc import Iterator

import pytest

from harness.world import World, world_of


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("world")) as found:
        yield found
