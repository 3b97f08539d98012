"""Server programs on the loopback: find the program, find a port, start it and wait until it listens."""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.waiting import wait_for

__all__ = ["find_program", "free_port", "listens", "start_server"]

_SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/sbin"
"""Debian puts servers there, and leaves these folders out of a user's PATH."""

_PACKAGES = {
    "mke2fs": "e2fsprogs",
    "mkfs.ext4": "e2fsprogs",
    "qemu-img": "qemu-utils",
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-system-x86_64": "qemu-system-x86",
}
"""The Debian package of each program whose package has another name."""


def find_program(name: str) -> str:
    """Return the path of a program. Raises FileNotFoundError that names it and its Debian package."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_FOLDERS}")
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: apt-get install {_PACKAGES.get(name, name)}")
    return found


def free_port() -> int:
    """Return a TCP port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Return whether something accepts connections on a port of the loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_server(
    command: Sequence[str], port: int, log: Path, *, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a server and return once it listens on `port`; its output is appended to `log`.

    Raises AssertionError with the log if the server exits instead.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(environment or {})})

    def is_ready() -> bool:
        assert process.poll() is None, f"{command[0]} has ended: {log.read_text(errors='replace')[-2000:]}"
        return listens(port)

    try:
        wait_for(is_ready, f"{command[0]} to listen on port {port}")
    except AssertionError:
        process.kill()
        process.wait()
        raise
    return process
