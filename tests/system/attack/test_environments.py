"""Odd environments: the kiosk works in each, or says clearly why it does not."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.kiosk import REPOSITORY
from harness.world import World, world_of
from tests.system.attack.attacking import one_good_scan
from tests.system.attack.bounds import measuring

CLEAN = ["env", "-i", f"PATH={os.environ['PATH']}", f"PYTHONPATH={REPOSITORY}"]

WRAPPERS: dict[str, list[str]] = {
    "the C locale": ["env", "LC_ALL=POSIX", "LANG=C", "PYTHONCOERCECLOCALE=0", "PYTHONUTF8=0"],
    "a locale that does not exist": ["env", "LC_ALL=xx_YY.KOI8-R"],
    "no HOME": ["env", "-u", "HOME", "-u", "USER", "-u", "LOGNAME"],
    "nothing but PATH": [*CLEAN, "sh", "-c", 'export NOTIFY_SOCKET="$0"; exec "$@"'],
    "a folder that cannot be written": ["env", f"PYTHONPATH={REPOSITORY}", "sh", "-c", 'cd /proc && exec "$@"', "sh"],
    "a folder that is gone": [
        "env", f"PYTHONPATH={REPOSITORY}", "sh", "-c", 'd=$(mktemp -d); cd "$d"; rmdir "$d"; exec "$@"', "sh",
    ],
    "no TMPDIR": ["env", "TMPDIR=/nonexistent", "TEMP=/nonexistent", "TMP=/nonexistent"],
    "a time zone that is none": ["env", "TZ=:/etc/passwd"],
    "closed standard streams": ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"],
}  # fmt: skip
SHORT = "all of it at once"
WRAPPERS[SHORT] = [
    *CLEAN, "LC_ALL=POSIX", "PYTHONCOERCECLOCALE=0", "PYTHONUTF8=0", "TMPDIR=/nonexistent", "TZ=:/etc/passwd",
    "sh", "-c",
    'export NOTIFY_SOCKET="$0"; d=$(mktemp -d -p /var/tmp); cd "$d"; rmdir "$d"; exec "$@" <&- >&- 2>&-',
]  # fmt: skip


@contextmanager
def kiosk_in(directory: Path, wrapper: list[str]) -> Iterator[World]:
    with world_of(directory, stations=("1", "2"), started=False) as world:
        if "$0" in wrapper[-1]:
            wrapper = [*wrapper, world.kiosk._manager.path]
        world.kiosk._wrapper = wrapper
        yield world


@pytest.mark.parametrize(
    "name", [name if name == SHORT else pytest.param(name, marks=pytest.mark.soak) for name in WRAPPERS]
)
def test_environment(tmp_path: Path, name: str) -> None:
    """Rule: commands.md#run."""
    with kiosk_in(tmp_path, WRAPPERS[name]) as world:
        world.start()
        with measuring(world.kiosk, name):
            one_good_scan(world)
        world.kiosk._wrapper = []
        assert world.kiosk.run("status").returncode == 0
        assert world.kiosk.stop() == 0


def modes(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): stat.filemode(path.lstat().st_mode)
        for path in [directory, *sorted(directory.rglob("*"))]
    }


@pytest.mark.parametrize(
    "masks", [("000",), pytest.param(("000", "022", "077", "777"), marks=pytest.mark.soak)], ids=len
)
def test_rights_do_not_depend_on_the_umask(tmp_path: Path, masks: tuple[str, ...]) -> None:
    """Rule: faults.md#state-directory."""
    found = []
    for mask in masks:
        with kiosk_in(tmp_path / mask, ["sh", "-c", f'umask {mask}; exec "$@"', "sh"]) as world:
            shutil.rmtree(world.kiosk.state_dir)
            world.start()
            one_good_scan(world)
            assert world.kiosk.stop() == 0
            found.append(modes(world.kiosk.state_dir))
    assert all(one == found[0] for one in found)
    assert not [mode for mode in found[0].values() if mode[7:] != "---"], found[0]


@pytest.mark.parametrize(
    "limit", [32, *(pytest.param(limit, marks=pytest.mark.soak) for limit in (64, 48, 40, 36, 24, 16))]
)
def test_few_descriptors(tmp_path: Path, limit: int) -> None:
    """It works, or the start is refused in words; it never hangs.

    Rules: commands.md#run, commands.md#exit-codes.
    """
    with kiosk_in(tmp_path, ["sh", "-c", f'ulimit -Hn {limit}; exec "$@"', "sh"]) as world:
        try:
            world.kiosk.start()
        except AssertionError:
            assert not world.kiosk.alive(), "neither ready nor ended"
            said = world.kiosk.output()
            assert "Too many open files" in said or "descriptors" in said
            return
        world.centre.wait_status("online")
        one_good_scan(world)
        assert world.kiosk.stop() == 0


@pytest.mark.soak
def test_no_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """/tmp is empty and cannot be written, as a unit may have it."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("hiding /tmp needs root")
    hide = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o ro none /tmp && exec "$@"', "sh"]
    if subprocess.run([*hide, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        monkeypatch.setattr(tempfile, "tempdir", directory)
        with kiosk_in(Path(directory) / "w", hide) as world:
            world.start()
            one_good_scan(world)
            assert world.kiosk.stop() == 0
