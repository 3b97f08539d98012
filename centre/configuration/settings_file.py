"""Read the configuration file, check it as a whole, and report all problems at once (`centre-settings.md`)."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from centre.centre_errors import SettingsRefused
from centre.configuration.centre_settings import (
    CentreSettings,
    DatabaseSettings,
    GeneralSettings,
    MqttBrokerSettings,
    RuleSettings,
    SettingsTable,
    WebhookSettings,
    WebSettings,
)
from centre.configuration.settings_problems import ABSENT, SettingsPath, SettingsProblems
from centre.configuration.settings_rules import check_raw_settings
from centre.legible import legible

__all__ = ["LISTS", "TABLES", "defaults", "expected_by", "load"]

TABLES: dict[str, type[SettingsTable]] = {
    "centre": GeneralSettings,
    "database": DatabaseSettings,
    "web": WebSettings,
    "rules": RuleSettings,
}
"""The tables that stand once, by their name in the file."""

LISTS: dict[str, type[SettingsTable]] = {"broker": MqttBrokerSettings, "webhook": WebhookSettings}
"""The tables that may be repeated."""

LOCAL_BROKER = MqttBrokerSettings(host="127.0.0.1", port=1883, tls=False)
"""The broker of a centre whose file names none."""

_MAX_FILE_BYTES = 1 << 20

_T = TypeVar("_T", bound=SettingsTable)


def load(file: Path, *, environ: Mapping[str, str] = os.environ) -> CentreSettings:
    """Return the settings in a file. Raises SettingsRefused with everything that is wrong with it.

    Relative paths in it start at the file's folder.
    """
    base = file.absolute().parent
    problems = SettingsProblems(file)
    raw = _parsed(file, problems)
    for key in (one for one in raw if one not in TABLES and one not in LISTS):
        problems.unknown_key((key,), (*TABLES, *LISTS))
    general = _checked(GeneralSettings, raw.get("centre", {}), ("centre",), base, problems)
    database = _checked(DatabaseSettings, raw.get("database", {}), ("database",), base, problems)
    web = _checked(WebSettings, raw.get("web", {}), ("web",), base, problems)
    rules = _checked(RuleSettings, raw.get("rules", {}), ("rules",), base, problems)
    brokers = _list(MqttBrokerSettings, raw, "broker", base, problems)
    webhooks = _list(WebhookSettings, raw, "webhook", base, problems)
    check_raw_settings(raw, base, problems)
    if problems.lines or not (general and database and web and rules):
        raise SettingsRefused(problems.lines)
    if "data_dir" not in general.model_fields_set:
        general = general.model_copy(update={"data_dir": _data_dir(environ)})
    return CentreSettings(
        general=general,
        brokers=brokers or (LOCAL_BROKER,),
        database=database,
        web=web,
        rules=rules,
        webhooks=webhooks,
    )


def defaults(*, environ: Mapping[str, str] = os.environ) -> CentreSettings:
    """Return the settings of a centre without a file: SQLite, the broker and the web on this machine."""
    return CentreSettings(
        general=GeneralSettings(data_dir=_data_dir(environ)),
        brokers=(LOCAL_BROKER,),
        database=DatabaseSettings(),
        web=WebSettings(),
        rules=RuleSettings(),
        webhooks=(),
    )


def _data_dir(environ: Mapping[str, str]) -> Path:
    # systemd separates several folders by colons; the first one is ours.
    return Path(environ.get("STATE_DIRECTORY", "").split(":")[0] or "centre-data").absolute()


def expected_by(field: FieldInfo) -> str:
    """Return what a field expects, to complete "expected …": its description, or that of its type if it may be None.

    A type can have several descriptions; the outermost one, which comes last, is the most exact.
    """
    if field.description:
        return field.description
    for choice in get_args(field.annotation):
        for extra in reversed(getattr(choice, "__metadata__", ())):
            if isinstance(extra, FieldInfo) and extra.description:
                return extra.description
    raise LookupError(f"{field!r} does not say what is expected")


# -- reading -----------------------------------------------------------------------------------------------------


def _parsed(file: Path, problems: SettingsProblems) -> dict[str, Any]:
    """Return the file's content. Raises SettingsRefused if it is not TOML: nothing else can be said then."""
    try:
        with file.open("rb") as stream:
            data = stream.read(_MAX_FILE_BYTES + 1)
        if len(data) > _MAX_FILE_BYTES:
            problems.add((), f"found a larger file, expected at most {_MAX_FILE_BYTES} bytes")
        else:
            # Some editors begin a file with a byte order mark.
            return tomllib.loads(data.decode("utf-8-sig"))
    except OSError as exc:
        problems.add((), f"found no file to read ({exc.strerror}), expected a configuration file")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        problems.add((), f"found the byte 0x{data[exc.start]:02x} in line {line}, expected UTF-8 text")
    except tomllib.TOMLDecodeError as exc:
        problems.add((), f"found an error ({legible(str(exc))}), expected TOML")
    except RecursionError:
        problems.add((), "found tables or lists nested too deep, expected TOML")
    raise SettingsRefused(problems.lines)


def _list(model: type[_T], raw: Mapping[str, Any], key: str, base: Path, problems: SettingsProblems) -> tuple[_T, ...]:
    found = raw.get(key, [])
    if not isinstance(found, list):
        problems.expected((key,), f"[[{key}]] tables", found)
        return ()
    tables = (_checked(model, one, (key, place), base, problems) for place, one in enumerate(found))
    return tuple(table for table in tables if table is not None)


def _checked(model: type[_T], raw: object, path: SettingsPath, base: Path, problems: SettingsProblems) -> _T | None:
    """Validate `raw` as `model`. If it is not valid, report every problem and return None."""
    if not isinstance(raw, dict):
        problems.expected(path, "a table", raw)
        return None
    try:
        return model.model_validate(raw, context=base)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False)
    told: list[SettingsPath] = []
    for error in errors:
        where = (*path, *error["loc"])
        if error["type"] == "extra_forbidden":
            problems.unknown_key(where, model.model_fields)
        elif not any(other[: len(where)] == where for other in told):
            # The error of a whole list, after that of one of its elements, says nothing new.
            found = ABSENT if error["type"] == "missing" else error["input"]
            problems.expected(where, expected_by(model.model_fields[str(error["loc"][0])]), found)
        told.append(where)
    return None
