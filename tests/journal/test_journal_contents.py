"""What any thread may ask a journal."""

import os
from pathlib import Path

from agent.journal import Journal


def test_free_bytes_are_those_of_the_file_system(directory: Path) -> None:
    with Journal.open(directory) as journal:
        assert 0 < journal.free_bytes() <= os.statvfs(directory).f_blocks * os.statvfs(directory).f_frsize
