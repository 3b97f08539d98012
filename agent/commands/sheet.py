"""`kiosk-agent sheet`: the barcodes of a bench, to print (`commands.md#sheet`)."""

import os
import secrets
from pathlib import Path
from typing import TextIO

from agent.catalogue.cache import references_in
from agent.catalogue.catalogue import Catalogue
from agent.contract.printed_codes import badge_text
from agent.errors import KioskError
from agent.sheet.contents import listed_badges, sections_of
from agent.sheet.layout import drawn

__all__ = ["NotWritten", "sheet"]

_TOKEN_CHARACTERS = 10
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class NotWritten(KioskError, OSError):
    """The file cannot be written."""


def sheet(file: Path, state_dir: Path | None, out: TextIO, *, new_badges: int = 0) -> int:
    """Write the PDF, with the box sizes and badges that the cache in `state_dir` has from the centre.

    `new_badges` is how many badges to add; their codes are also written to `out`, one per line, for the operators list.
    Raises NotWritten, CacheDamaged.
    """
    catalogue = Catalogue()
    if state_dir is not None:
        catalogue.restore(references_in(state_dir / "cache"))
    tokens = ["".join(secrets.choice(_ALPHABET) for _ in range(_TOKEN_CHARACTERS)) for _ in range(new_badges)]
    operators = catalogue.operators
    badges = [] if operators is None else list(listed_badges(operators))
    _write(file, drawn(sections_of(catalogue.boxes, badges, tokens)))
    if catalogue.boxes is None:
        out.write("note    no box sizes: the centre has not sent any to this kiosk\n")
    if operators is not None and operators.salt is not None:
        out.write("note    no badges of the operators list: it has only their hashes\n")
    out.writelines(f"badge   {badge_text(token)}\n" for token in tokens)
    return 0


def _write(file: Path, data: bytes) -> None:
    # Anybody who has a badge can sign in, so no other user of this machine may read them.
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as stream:
            stream.write(data)
    except OSError as exc:
        raise NotWritten(f"{file} cannot be written: {exc.strerror}") from exc
