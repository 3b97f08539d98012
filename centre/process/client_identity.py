"""The client id under which a centre connects to brokers: the same after each start, and another for each data folder.

Two clients with one id throw each other out of a broker.
"""

import os
import re
import secrets
from pathlib import Path

from centre.centre_errors import Refused

__all__ = ["client_id_of"]

_ID = re.compile(r"centre-[0-9a-f]{12}")


def client_id_of(data_dir: Path) -> str:
    """Return the client id of a data folder; make one at the first call. Raises Refused."""
    file = data_dir / "client-id"
    try:
        known = file.read_text("utf-8").strip() if file.exists() else ""
        if _ID.fullmatch(known):
            return known
        new = f"centre-{secrets.token_hex(6)}"
        part = file.with_name("client-id.part")
        part.write_text(f"{new}\n", "utf-8")
        os.replace(part, file)
    except (OSError, UnicodeDecodeError) as exc:
        raise Refused(f"the client id cannot be kept in {file}: {exc}") from exc
    return new
