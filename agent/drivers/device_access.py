"""Why a device node cannot be opened, with what to do about it."""

import errno
import grp
import os
import pwd

__all__ = ["access_problem", "explained"]

_GROUP_MAY = 0o060


def explained(path: str, code: int | None, words: str) -> str:
    """Return an operating system's error about a device node, in its `words`, with a hint where there is one."""
    if code == errno.EACCES:
        return f"{words}{_hint(path)}"
    if code in (errno.EIO, errno.ENXIO, errno.ENODEV):
        return f"{words}: there is no hardware behind it"
    return words


def access_problem(path: str) -> str | None:
    """Return why this account may not read and write a device node; None if it may, or if there is no such node."""
    if not os.path.exists(path) or os.access(path, os.R_OK | os.W_OK):
        return None
    return explained(path, errno.EACCES, os.strerror(errno.EACCES))


def _hint(path: str) -> str:
    try:
        node = os.stat(path)
        group = grp.getgrgid(node.st_gid).gr_name
        account = pwd.getpwuid(os.geteuid()).pw_name
    except (OSError, KeyError):
        return ""
    if node.st_mode & _GROUP_MAY != _GROUP_MAY or node.st_gid == 0:
        return ": only root may use it"
    return (
        f": the account {account} must be in the group {group} (usermod -aG {group} {account}; then sign in again, "
        "or restart the service)"
    )
