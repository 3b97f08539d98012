"""What is said of a device that cannot be opened."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from agent.drivers.device_access import access_problem, explained

DENIED = "Permission denied"


@pytest.fixture
def node(tmp_path: Path) -> Path:
    node = tmp_path / "ttyACM0"
    node.touch()
    node.chmod(0o660)
    return node


def of_group(monkeypatch: pytest.MonkeyPatch, node: Path, gid: int) -> None:
    stat = os.stat
    values = list(stat(node))
    values[5] = gid

    def its_stat(path: str, **more: Any) -> os.stat_result:
        return os.stat_result(values) if path == str(node) else stat(path, **more)

    monkeypatch.setattr("agent.drivers.device_access.os.stat", its_stat)
    monkeypatch.setattr("agent.drivers.device_access.grp.getgrgid", lambda gid: type("", (), {"gr_name": f"g{gid}"}))
    monkeypatch.setattr("agent.drivers.device_access.pwd.getpwuid", lambda _: type("", (), {"pw_name": "kiosk"}))


def test_permission_names_the_group_to_join(monkeypatch: pytest.MonkeyPatch, node: Path) -> None:
    """(`commands.md#check`)"""
    of_group(monkeypatch, node, 20)
    assert explained(str(node), errno.EACCES, DENIED) == (
        "Permission denied: the account kiosk must be in the group g20 (usermod -aG g20 kiosk; then sign in again, "
        "or restart the service)"
    )


@pytest.mark.parametrize(("gid", "mode"), [(0, 0o660), (20, 0o600), (20, 0o640)])
def test_no_group_helps_where_only_root_may(monkeypatch: pytest.MonkeyPatch, node: Path, gid: int, mode: int) -> None:
    node.chmod(mode)
    of_group(monkeypatch, node, gid)
    assert explained(str(node), errno.EACCES, DENIED) == "Permission denied: only root may use it"


@pytest.mark.parametrize(("code", "said"), [(errno.EIO, "no"), (errno.ENXIO, "no"), (errno.EBUSY, None), (None, None)])
def test_other_errors(node: Path, code: int | None, said: str | None) -> None:
    """(`commands.md#check`)"""
    expected = "what it says" if said is None else "what it says: there is no hardware behind it"
    assert explained(str(node), code, "what it says") == expected


def test_a_node_that_is_gone_has_no_hint(tmp_path: Path) -> None:
    assert explained(str(tmp_path / "gone"), errno.EACCES, DENIED) == DENIED
    assert access_problem(str(tmp_path / "gone")) is None


def test_access_problem(monkeypatch: pytest.MonkeyPatch, node: Path) -> None:
    assert access_problem(str(node)) is None
    monkeypatch.setattr("agent.drivers.device_access.os.access", lambda *_: False)
    problem = access_problem(str(node))
    assert problem is not None
    assert problem.startswith(DENIED)
