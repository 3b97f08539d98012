"""What is installed: every dependency is locked, in a version that pyproject.toml allows."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS: dict[str, list[str]] = {
    name: [line for line in lines if not line.startswith("kiosk-agent[")]  # another one of these extras
    for name, lines in PROJECT["project"]["optional-dependencies"].items()
}
RUNTIME: list[str] = PROJECT["project"]["dependencies"]


def locked(name: str) -> dict[str, set[str]]:
    """The versions by project name in a file of locks/; a project may have one for each version of Python."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "locks" / name).read_text("utf-8").splitlines():
        if line and not line.startswith((" ", "#")):
            requirement = Requirement(line.removesuffix("\\").strip())
            found.setdefault(canonicalize_name(requirement.name), set()).update(
                one.version for one in requirement.specifier
            )
    return found


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("build.txt", PROJECT["build-system"]["requires"]),
        ("kiosk.txt", [*RUNTIME, *EXTRAS["gpio"]]),
        ("dev.txt", [*RUNTIME, *(line for extra in EXTRAS.values() for line in extra)]),
    ],
)
def test_every_dependency_is_locked(lock: str, wanted: list[str]) -> None:
    versions = locked(lock)
    for line in wanted:
        requirement = Requirement(line)
        found = versions.get(canonicalize_name(requirement.name))
        assert found, f"{requirement.name} is missing in locks/{lock}: run `make lock`"
        assert all(map(requirement.specifier.contains, found)), (
            f"locks/{lock} has {requirement.name} {found}, not {line}"
        )


def test_kiosks_and_developers_get_the_same_versions() -> None:
    kiosk, developer = locked("kiosk.txt"), locked("dev.txt")
    assert {name: developer.get(name) for name in kiosk} == kiosk


def test_every_locked_version_has_hashes() -> None:
    for path in (ROOT / "locks").glob("*.txt"):
        blocks = [block for block in path.read_text("utf-8").split("\n") if block and not block.startswith((" ", "#"))]
        text = path.read_text("utf-8")
        assert blocks
        for block in blocks:
            assert f"{block}\n    --hash=sha256:" in text, f"{path.name}: {block} has no hash"
