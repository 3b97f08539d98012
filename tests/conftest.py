"""What tests of more than one folder share."""

import logging
from collections.abc import Iterator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-soak", action="store_true", help="run the long forms of the fault suite too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--run-soak"):
        return
    for item in items:
        if item.get_closest_marker("soak") is not None:
            item.add_marker(pytest.mark.skip(reason="a long form: make soak"))


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """Undoes `agent.runtime.log.configure`, which is meant to last as long as a process."""
    root, ours, raises = logging.getLogger(), logging.getLogger("agent"), logging.raiseExceptions
    before = (list(root.handlers), root.level, ours.level)
    yield
    root.handlers[:], root.level, ours.level = before
    logging.raiseExceptions = raises
