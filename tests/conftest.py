"""What tests of more than one folder share."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """Undoes `agent.log.configure`, which is meant to last as long as a process."""
    root, ours, raises = logging.getLogger(), logging.getLogger("agent"), logging.raiseExceptions
    before = (list(root.handlers), root.level, ours.level)
    yield
    root.handlers[:], root.level, ours.level = before
    logging.raiseExceptions = raises
