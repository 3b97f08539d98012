"""Barcodes as a printer makes them, from the standards: check characters, identifiers, commands; and topics."""

import itertools

__all__ = [
    "Supply",
    "badge",
    "box_label",
    "command",
    "gtin",
    "imei",
    "luhn_digit",
    "mod_37_36",
    "sscc",
    "topic_level",
]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def luhn_digit(body: str) -> str:
    """The digit that makes `body` + digit pass the Luhn check (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def imei(tac: str, serial: int) -> str:
    """15 digits: type allocation code, serial number, check digit (3GPP TS 23.003)."""
    body = f"{tac}{serial:06d}"
    return body + luhn_digit(body)


def _gs1_digit(body: str) -> str:
    return str(-sum(int(d) * (3 if place % 2 == 0 else 1) for place, d in enumerate(reversed(body))) % 10)


def gtin(body: str) -> str:
    """A GTIN of 8, 12, 13 or 14 digits from all but its check digit (GS1 General Specifications 7.9)."""
    return body + _gs1_digit(body)


def sscc(serial: int) -> str:
    """An SSCC-18 under a company prefix reserved for examples."""
    body = f"0952012{serial:010d}"
    return body + _gs1_digit(body)


def mod_37_36(text: str) -> str:
    """The check character of ISO 7064 MOD 37,36 for `text`, digits and capitals."""
    product = 36
    for character in text:
        total = (product + _ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return _ALPHABET[(37 - product) % 36]


def command(verb: str, argument: str | int = "") -> str:
    body = f"ZK{verb}{argument}"
    return body + mod_37_36(body)


def badge(token: str) -> str:
    return f"ZB{token}{mod_37_36(f'ZB{token}')}"


def box_label(name: str) -> str:
    return f"ZL{name}{mod_37_36(f'ZL{name}')}"


def topic_level(order: str) -> str:
    """An order id as one level of a topic."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in order.encode())


class Supply:
    """Things never seen before: orders, devices, products, labels. Nothing of one test is met in another."""

    def __init__(self, tac: str = "35693803") -> None:
        self.tac = tac
        self._numbers = itertools.count(1)

    def number(self) -> int:
        return next(self._numbers)

    def imei(self) -> str:
        return imei(self.tac, self.number())

    def imeis(self, count: int) -> list[str]:
        return [self.imei() for _ in range(count)]

    def gtin(self) -> str:
        return gtin(f"95060{self.number():07d}")

    def sku(self) -> str:
        return f"SKU-{self.number()}"

    def order(self) -> str:
        return f"SO-{self.number()}"

    def serial(self) -> str:
        """A serial number of ten characters that has the form of nothing else."""
        return f"F{self.number():08d}K"

    def label(self) -> str:
        return sscc(self.number())
