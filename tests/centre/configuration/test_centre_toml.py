"""The example of a configuration explains every option, and is sound once it is filled in."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from centre.centre_errors import SettingsRefused
from centre.configuration.centre_settings import MqttBrokerSettings, SettingsTable, WebhookEvent
from centre.configuration.settings_file import LISTS, TABLES, load

FILE = Path(__file__).parents[3] / "deploy" / "centre.toml"
TEXT = FILE.read_text("utf-8")
MODELS = {**TABLES, **LISTS}


def shown(table: str, key: str) -> list[str]:
    """The values that the file shows for a key, commented out or not."""
    parts = re.split(r"^(?:# )?\[+([\w.]+)\]+$", TEXT, flags=re.MULTILINE)
    text = "".join(body for name, body in zip(parts[1::2], parts[2::2], strict=True) if name == table)
    return re.findall(rf"^(?:# )?{key} = (.+)$", text, re.MULTILINE)


def test_as_it_comes_only_the_host_is_missing() -> None:
    with pytest.raises(SettingsRefused) as refused:
        load(FILE, environ={})
    assert refused.value.problems == [
        f'{FILE}: broker[0].host: found "", expected a host name or address without a port'
    ]


def test_filled_in_it_has_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "centre.toml"
    file.write_text(TEXT.replace('host = ""', 'host = "broker.example"'), "utf-8")
    settings = load(file, environ={"STATE_DIRECTORY": "/var/lib/x"})
    assert settings.brokers == (MqttBrokerSettings(host="broker.example"),)
    assert settings.general.data_dir == Path("/var/lib/x")


@pytest.mark.parametrize(("table", "model"), MODELS.items())
def test_every_option_is_there(table: str, model: type[SettingsTable]) -> None:
    assert [key for key in model.model_fields if not shown(table, key)] == []


@pytest.mark.parametrize(("table", "model"), MODELS.items())
def test_what_is_commented_out_is_the_default(table: str, model: type[SettingsTable]) -> None:
    for key, field in model.model_fields.items():
        if field.default is PydanticUndefined or field.default is None or key == "data_dir":
            continue
        for value in shown(table, key):
            read = tomllib.loads(f"value = {value}")["value"]
            assert (tuple(read) if isinstance(read, list) else read) == field.default, key


@pytest.mark.parametrize("name", WebhookEvent)
def test_every_event_of_a_webhook_is_named(name: WebhookEvent) -> None:
    assert name in TEXT
