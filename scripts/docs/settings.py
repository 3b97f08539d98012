"""All settings with their defaults, from the models of the kiosk's file and of the centre's."""

import json
import typing
from collections import defaultdict
from collections.abc import Iterator, Mapping

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from agent.config import settings as tables
from centre.configuration.settings_file import LISTS, TABLES, expected_by
from scripts.docs.anchors import linked
from scripts.docs.docstrings import attribute_docs
from scripts.docs.markdown import code, table

__all__ = ["centre_settings", "settings"]

_TABLES: Mapping[str, tuple[type[BaseModel], ...]] = {
    "kiosk": (tables.KioskSettings,),
    "mqtt": (tables.MqttSettings,),
    "uplink": (tables.UplinkSettings,),
    "workflow": (tables.WorkflowSettings,),
    "station": (tables.StationIdentity,),
    "station.scanner": typing.get_args(tables.ScannerSettings),
    "station.indicator": typing.get_args(tables.IndicatorSettings),
    "station.buttons": (tables.ButtonSettings,),
}
"""The models of each table of the file; where there are several, `driver` says which one it is."""


def settings() -> str:
    """Return a table of all settings."""
    heads = ("setting", "default", "value", "meaning")
    return table(heads, (row for name, models in _TABLES.items() for row in _rows(name, models)))


def centre_settings() -> str:
    """Return a table of all settings of the centre."""
    heads = ("setting", "default", "value", "meaning")
    rows = []
    for name, model in {**TABLES, **LISTS}.items():
        meanings = attribute_docs(model)
        for key, field in model.model_fields.items():
            meaning = meanings.get(key, "")
            # This default depends on where the centre is started; the meaning says how.
            default = "see there" if "Default:" in meaning else _default(field)
            rows.append((code(f"{name}.{key}"), default, expected_by(field), linked(meaning)))
    return table(heads, rows)


def _rows(name: str, models: tuple[type[BaseModel], ...]) -> Iterator[tuple[str, ...]]:
    """Yield the settings of one table; one that differs between drivers has a row for each of them."""
    drivers: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for model in models:
        for key, field in model.model_fields.items():
            meaning = linked(attribute_docs(model).get(key, ""))
            drivers[code(f"{name}.{key}"), _default(field), _value(field), meaning].append(_driver(model))
    for (setting, *rest), served in drivers.items():
        is_shared = len(served) == len(models)
        yield (setting if is_shared else f"{setting} ({', '.join(served)})", *rest)


def _driver(model: type[BaseModel]) -> str:
    field = model.model_fields.get("driver")
    return str(typing.get_args(field.annotation)[0]) if field is not None else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "none" if field.default is None else code(json.dumps(field.default))


def _value(field: FieldInfo) -> str:
    if typing.get_origin(field.annotation) is typing.Literal and not field.description:
        return " or ".join(code(json.dumps(choice)) for choice in typing.get_args(field.annotation))
    return tables.expected_in(field)
