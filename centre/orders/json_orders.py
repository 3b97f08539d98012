"""Orders from a JSON file: a list of manifests, `{"orders": [...]}`, or a manifest a line (NDJSON). Pure.

Each may have a `site` beside the fields of a manifest.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from centre.orders.csv_tables import MAX_BYTES, MAX_ROWS
from centre.orders.file_errors import FileRefused, RowError, shown
from centre.orders.manifest_check import ManifestRefused, checked_manifest
from centre.orders.manifest_decision import KEEP_SITE, GivenManifest
from centre.orders.parsed_orders import ParsedOrder

__all__ = ["json_items", "parse_json_orders"]


def parse_json_orders(data: bytes, sites: Collection[str] | None = None) -> list[ParsedOrder]:
    """Return the orders of a file. Raises FileRefused with every faulty one; `row` is 1 for the first.

    With `sites`, any other one is a fault.
    """
    errors: list[RowError] = []
    found: dict[str, ParsedOrder] = {}
    for row, item in enumerate(json_items(data, "orders"), 1):
        order = item.get("order") if isinstance(item, Mapping) else None
        if not isinstance(order, str) or not isinstance(item, Mapping):
            errors.append(RowError(row, "order", "a manifest with the id of an order", _shown(item)))
            continue
        if order in found:
            errors.append(RowError(row, "order", f"each order once; it is item {found[order].row} too", shown(order)))
            continue
        site = item.get("site")
        if site is not None and not isinstance(site, str):
            errors.append(RowError(row, "site", "the name of a site", _shown(site)))
            continue
        if site and sites is not None and site not in sites:
            errors.append(RowError(row, "site", f"one of {', '.join(sites)}", _shown(site)))
        try:
            manifest = checked_manifest(order, {name: value for name, value in item.items() if name != "site"})
        except ManifestRefused as exc:
            errors += [RowError(row, field.path, field.message, _shown(_at(item, field.path))) for field in exc.fields]
            continue
        found[order] = ParsedOrder(given=GivenManifest(manifest=manifest, site=site or KEEP_SITE), row=row)
    if errors:
        faulty = {error.row for error in errors}
        raise FileRefused(errors, [one for one in found.values() if one.row not in faulty])
    return list(found.values())


def json_items(data: bytes, name: str) -> Sequence[Any]:
    """Return the items of a file: a list, the list under this name or under `items`, or a value a line.

    Raises FileRefused.
    """
    if len(data) > MAX_BYTES:
        raise FileRefused([RowError(0, "", f"at most {MAX_BYTES} bytes", f"{len(data)} bytes")])
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        content = from_json(data, allow_inf_nan=False, cache_strings="keys")
    except ValueError as exc:
        content = _lines(data, str(exc))
    if isinstance(content, Mapping):
        content = content.get(name, content.get("items", [content]))
    if not isinstance(content, list):
        raise FileRefused([RowError(0, "", f"a list, or an object with {name}", _shown(content))])
    if len(content) > MAX_ROWS:
        raise FileRefused([RowError(0, "", f"at most {MAX_ROWS} items", f"{len(content)} items")])
    return content


def _lines(data: bytes, why: str) -> list[Any]:
    """Return the values of NDJSON. `why` says why the file as a whole is not JSON."""
    lines = [line for line in data.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line.lstrip().startswith(b"{") for line in lines):
        raise FileRefused([RowError(0, "", "JSON", why)])
    found, errors = [], []
    for row, line in enumerate(lines, 1):
        try:
            found.append(from_json(line, allow_inf_nan=False))
        except ValueError as exc:
            errors.append(RowError(row, "", "JSON", str(exc)))
    if errors:
        raise FileRefused(errors)
    return found


def _shown(value: object) -> str:
    return shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=True, default=str))


def _at(value: Any, path: str) -> object:
    for level in path.split("."):
        try:
            value = value[int(level)] if isinstance(value, list) else value[level]
        except (LookupError, TypeError, ValueError):
            return ""
    return value
