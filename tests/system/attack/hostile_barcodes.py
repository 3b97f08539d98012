"""Barcodes that nobody should scan, each kind from a seeded generator. None contains the terminator CR."""

import random
from collections.abc import Callable, Iterator

from harness.codes import command, imei, mod_37_36

__all__ = ["KINDS", "Generator", "scans_of"]

Generator = Callable[[random.Random], bytes]

_END = ord("\r")
_NOT_END = bytes(set(range(256)) - {_END})
_CONTROLS = bytes(set(range(32)) - {_END, ord("\n"), ord("\t"), 0}) + b"\x7f"
"""Without the line ends, which at the front of a scan belong to the end of the one before."""

_VERBS = ("SAVE", "PACK", "CONFIRM", "UNDO", "REMOVE", "CANCEL", "MODEUSED", "KINDSKU", "ROLEALL", "QTY5", "BOXM",
          "CLOSE", "OUT", "REPEAT", "WHERE")  # fmt: skip
_BAD_ARGUMENTS = ("QTY0", "QTY10000", "QTY00001", "QTY", "MODEGIFT", "MODE", "KIND", "ROLEX", "BOX", "SAVE1", "EXPLODE",
                  "QTY99999999999999999999999999", "BOX" + "M" * 33, "")  # fmt: skip
_GS1_STARTS = ("]C1", "]d2", "]Q3", "]e0", "\x1d", "]E0", "]E4", "]Q1", "]d1", "]", "]C", "]C0")
_GS1_PARTS = ("01", "09506000134352", "8002", "490154203237518", "21", "ABC123", "\x1d", "30", "99999999", "00",
              "10", "400", "]C1", "0109506000134353", "8002" * 10, "\x1d" * 3)  # fmt: skip
_LINKS = ("https://id.gs1.org/01/09506000134352/21/", "HTTP://x/01/", "https://user:pw@[::1]:99999/01/1/21/",
          "https:///8002/", "http://%00/01/09506000134352?8002=", "https://id.gs1.org/" + "01/" * 60)  # fmt: skip
_ESCAPES = ("%", "%0", "%zz", "%00", "%0D", "%ff%fe", "%F0%9F%92%A3", "&8002=1", "?=", "#", "/../", "%2F", "+", ";")
_UNICODE = ("\u202e", "\u2066", "\u200b", "\ufeff", "\u0130", "\u00df", "\ufb01", "e\u0301", "\u1e9b\u0323", "\u0345",
            "４９０１５４", "٤٩٠", "\U0001f4a3", "\u2028", "\u0085", "\ud7ff", "ǅ", "\u212a", "SO-1", "Ａ")  # fmt: skip


def random_bytes(chance: random.Random) -> bytes:
    return bytes(chance.choices(_NOT_END, k=chance.randint(1, 120))).strip(b"\n\t\0") or b"?"


def controls(chance: random.Random) -> bytes:
    return b"".join(
        bytes(chance.choices(_CONTROLS, k=3)) + chance.choice((b"[31m", b"]0;owned", b"SO-1", b"level=error"))
        for _ in range(chance.randint(1, 8))
    )


def near_commands(chance: random.Random) -> bytes:
    """Commands, badges and labels with one character changed, added or lost, or with a bad argument."""
    if chance.random() < 0.4:
        return command(chance.choice(_BAD_ARGUMENTS)).encode()
    text = bytearray(command(chance.choice(_VERBS)), "ascii")
    if chance.random() < 0.3:
        text[:2] = chance.choice((b"ZB", b"ZL"))
    at = chance.randrange(len(text))
    match chance.randrange(4):
        case 0:
            text[at] = chance.choice(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_. ")
        case 1:
            text.insert(at, text[at])
        case 2:
            del text[at]
        case _:
            text[at:at] = bytes((chance.choice(_CONTROLS),))
    # The changed text may be a command by chance, one in 36. A character that no command has makes sure of it.
    return bytes(text) + (b"" if not _is_right(bytes(text)) else b"-")


def _is_right(text: bytes) -> bool:
    body = text[:-1].decode("latin-1").upper()
    return body.isascii() and body.isalnum() and mod_37_36(body) == chr(text[-1]).upper()


def gs1_garbage(chance: random.Random) -> bytes:
    text = chance.choice(_GS1_STARTS) + "".join(chance.choices(_GS1_PARTS, k=chance.randint(0, 12)))
    return text.encode()[:600] or b"]"


def links(chance: random.Random) -> bytes:
    return (chance.choice(_LINKS) + "".join(chance.choices(_ESCAPES, k=chance.randint(0, 40)))).encode()[:600]


def unicode_tricks(chance: random.Random) -> bytes:
    raw = "".join(chance.choices(_UNICODE, k=chance.randint(1, 40))).encode()
    return raw[: chance.randint(1, len(raw))]  # often in the middle of a character


def wrong_identifiers(chance: random.Random) -> bytes:
    """Identifiers of every form, right and wrong, that no order lists."""
    unlisted = imei("01234500", chance.randrange(10**6))
    return chance.choice(
        (unlisted, unlisted[:-1] + str((int(unlisted[-1]) + 1) % 10), unlisted + unlisted, unlisted[:14],
         unlisted + "0", "0" * 15, "0" * 18, "0" * 32, "8944110065123456783F", "89049032000000000000001234567857",
         "AF0123450ABCDE", "9" * chance.randint(1, 600), "1Z999AA10123456784",
         "S" + unlisted, "1P" + unlisted)
    ).encode()  # fmt: skip


def long_ones(chance: random.Random) -> bytes:
    return bytes((chance.choice(b"0AZ]\x1d\xc3\xff"),)) * chance.choice((511, 512, 513, 1024, 4096))


KINDS: dict[str, Generator] = {
    "random bytes": random_bytes,
    "control characters": controls,
    "near-commands": near_commands,
    "GS1 garbage": gs1_garbage,
    "digital links": links,
    "unicode tricks": unicode_tricks,
    "wrong identifiers": wrong_identifiers,
    "long scans": long_ones,
}


def scans_of(kind: str, seed: int, count: int) -> Iterator[bytes]:
    """Yield `count` scans of a kind."""
    chance = random.Random(f"{kind} {seed}")
    for _ in range(count):
        yield KINDS[kind](chance)
