"""Barcodes and topics, written from the standards: identifiers with their check digits, command barcodes, labels."""

__all__ = [
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
    """Return the digit that makes `body` + digit pass the Luhn check (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def imei(tac: str, serial: int) -> str:
    """Return 15 digits: type allocation code, serial number, check digit (3GPP TS 23.003)."""
    body = f"{tac}{serial:06d}"
    return body + luhn_digit(body)


def _gs1_digit(body: str) -> str:
    return str(-sum(int(d) * (3 if place % 2 == 0 else 1) for place, d in enumerate(reversed(body))) % 10)


def gtin(body: str) -> str:
    """Return a GTIN of 8, 12, 13 or 14 digits from all but its check digit (GS1 General Specifications 7.9)."""
    return body + _gs1_digit(body)


def sscc(serial: int) -> str:
    """Return an SSCC-18 under a company prefix that is reserved for examples."""
    body = f"0952012{serial:010d}"
    return body + _gs1_digit(body)


def mod_37_36(text: str) -> str:
    """Return the check character of ISO 7064 MOD 37,36 for `text`, which is digits and capitals."""
    product = 36
    for character in text:
        total = (product + _ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return _ALPHABET[(37 - product) % 36]


def command(verb: str, argument: str | int = "") -> str:
    """Return a command barcode: `command("QTY", 3)`."""
    body = f"ZK{verb}{argument}"
    return body + mod_37_36(body)


def badge(token: str) -> str:
    """Return the text of a badge that we print."""
    return f"ZB{token}{mod_37_36(f'ZB{token}')}"


def box_label(name: str) -> str:
    """Return the text of a box label that we print."""
    return f"ZL{name}{mod_37_36(f'ZL{name}')}"


def topic_level(order: str) -> str:
    """Return an order id as one level of a topic."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in order.encode())
