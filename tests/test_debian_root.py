"""scripts/debian_root.sh: a program that is missing is named with the package to install, never a bare exit status."""

import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def sourced(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of bash after `. scripts/debian_root.sh`."""
    script = f"set -euo pipefail; what=test; . {REPOSITORY}/scripts/debian_root.sh; {command}"
    return subprocess.run(
        ["bash", "-c", script],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_installed_is_not_asked_for() -> None:
    done = sourced("need bash:bash cat:coreutils", NO_APT="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_package_of_a_missing_program_is_named() -> None:
    done = sourced("need bash:bash no-such-program:its-package no-other:another", NO_APT="1")
    assert done.returncode == 1
    assert done.stderr == "test: programs are missing: apt-get install its-package another\n"


def test_it_is_said_before_something_is_installed() -> None:
    installed = "apt-get() { echo apt-get $* >&2; [ $1 = update ]; }; export -f apt-get; "
    done = sourced(f"{installed} need no-such-program:its-package")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "test: installing by apt-get: its-package   (NO_APT=1 to leave that out)",
        "apt-get update -qq",
        "apt-get install -y -qq --no-install-recommends its-package",
        "test: apt-get could not install its-package",
    ]


def test_the_mirror_is_the_one_of_apt_or_the_one_that_is_set() -> None:
    targets = "apt-get() { printf '%s\\n' http://a/debian-security/ http://b/debian/ http://c/debian/; }; "
    assert sourced(f"{targets} mirror").stdout == "http://b/debian/\n"
    assert sourced(f"{targets} mirror", MIRROR="http://d/debian").stdout == "http://d/debian\n"
    nothing = sourced("apt-get() { :; }; mirror")
    assert nothing.returncode == 1
    assert "set MIRROR" in nothing.stderr


@pytest.mark.parametrize("script", ["scripts/test_debian13", "tests/rig/build/build.sh"])
def test_a_script_that_needs_root_says_so(script: str) -> None:
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"{REPOSITORY}/{script}", "amd64"]
    done = subprocess.run(as_nobody, capture_output=True, text=True, check=False)
    if "Permission denied" in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip("the checkout is closed to other users, or this is not root")
    assert done.returncode == 1
    assert "try sudo" in done.stderr
