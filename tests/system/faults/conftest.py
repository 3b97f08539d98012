"""What the fault tests share: the shim, file systems of their own, and a world whose daemon the test starts."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.world import World, world_of
from tests.system.faults.shim import Shim, built

FileSystem = Callable[..., Path]


@pytest.fixture(scope="session")
def shim_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = built(tmp_path_factory.mktemp("shim"))
    if library is None:
        pytest.skip("no C compiler to build the shim with")
    return library


@pytest.fixture
def own(tmp_path: Path) -> Iterator[World]:
    """A world whose daemon the test starts and stops."""
    with world_of(tmp_path, started=False, uplink={"ack_timeout_s": 1}) as found:
        yield found


@pytest.fixture
def shim(own: World, shim_library: Path, tmp_path: Path) -> Iterator[Shim]:
    """The shim for the daemon of `own` and its state directory."""
    with Shim(shim_library, tmp_path / "control", root=own.kiosk.state_dir) as found:
        own.kiosk.environment.update(found.environment)
        yield found


@pytest.fixture
def mounted() -> Iterator[Callable[..., None]]:
    """A function that mounts something on a directory until the test is over, or skips the test if it cannot."""
    with ExitStack() as undo:

        def mount(where: Path, *arguments: str) -> None:
            if os.geteuid() != 0 or shutil.which("mount") is None:
                pytest.skip("mounting a file system needs root")
            done = subprocess.run(["mount", *arguments, str(where)], capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
            undo.callback(subprocess.run, ["umount", "--lazy", str(where)], check=False)

        yield mount
