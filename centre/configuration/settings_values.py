"""The types of single values in the configuration: how each is checked, and what is expected where it is refused."""

import ipaddress
import re
import zoneinfo
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

__all__ = [
    "DatabaseUrl",
    "Days",
    "FilePath",
    "Flag",
    "HostName",
    "OwnAddress",
    "Sites",
    "Text",
    "TimezoneName",
    "WebAddress",
    "distinct",
    "is_loopback",
]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach an IP address."""
    return ipaddress.ip_address(address).is_loopback


def _path(value: object, info: ValidationInfo) -> object:
    """Resolve a relative path against the folder of the configuration file, which is the context of the validation."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or _CONTROL.search(value):
        raise ValueError("not a path")
    return Path(info.context or ".") / value


def _host(text: str) -> str:
    """Check that this is a name or an address without a port. Return an IPv6 address without its brackets."""
    if _HOST_NAME.fullmatch(text):
        return text
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    return str(ipaddress.IPv6Address(bare))


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _database_url(text: str, info: ValidationInfo) -> str:
    """Check the URL, and resolve the path of an SQLite file as `_path` does."""
    url = urlsplit(text)
    if url.scheme == "sqlite" and not url.netloc and not url.query and len(url.path) > 1 and not _CONTROL.search(text):
        return f"sqlite:///{(Path(info.context or '.') / url.path[1:]).absolute()}"
    if url.scheme == "postgresql+psycopg" and url.path.strip("/"):
        _ = url.port  # raises ValueError if it is no port
        return text
    raise ValueError("not a database URL")


def _timezone(text: str) -> str:
    if text != "UTC":
        try:
            zoneinfo.ZoneInfo(text)
        except (zoneinfo.ZoneInfoNotFoundError, OSError) as exc:
            raise ValueError("no such timezone") from exc
    return text


def _web_address(text: str) -> str:
    url = urlsplit(text)
    if url.scheme not in ("https", "http") or not url.hostname or url.username is not None or url.fragment:
        raise ValueError("not a URL")
    _ = url.port
    return text


def distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values. Raises ValueError if one of them is named twice."""
    if len(set(values)) != len(values):
        raise ValueError("named twice")
    return values


_FILE_TEXT = "the path of a file"
_SITE_TEXT = "a list of at least one site, each 1 to 64 letters, digits, - and _, and named once"

Site = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Sites = Annotated[tuple[Site, ...], Field(strict=False, min_length=1, description=_SITE_TEXT), AfterValidator(distinct)]
FilePath = Annotated[Path, Field(description=_FILE_TEXT), BeforeValidator(_path)]
Text = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f]{1,256}$", description="1 to 256 characters, none of them a control character"),
]
Flag = Annotated[bool, Field(description="true or false")]
Days = Annotated[int, Field(ge=0, le=36_500, description="days, a whole number from 0 to 36500")]
HostName = Annotated[str, AfterValidator(_host), Field(description="a host name or address without a port")]
OwnAddress = Annotated[str, AfterValidator(_address), Field(description="an IP address of this machine")]
DatabaseUrl = Annotated[
    str,
    AfterValidator(_database_url),
    Field(description='"sqlite:///PATH" or "postgresql+psycopg://USER@HOST:PORT/DATABASE"'),
]
TimezoneName = Annotated[
    str, AfterValidator(_timezone), Field(description='the name of a time zone, such as "Europe/Amsterdam"')
]
WebAddress = Annotated[str, AfterValidator(_web_address), Field(description="an https URL without a user name")]
