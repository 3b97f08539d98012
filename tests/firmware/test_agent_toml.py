"""The configuration that is installed: it explains every option, and is sound once it is filled in."""

import io
import re
import tomllib
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from agent.commands.check import check
from agent.config import load
from agent.config.settings import (
    ButtonSettings,
    ConfigTable,
    EvdevSettings,
    GpioSettings,
    JsonlSettings,
    KioskSettings,
    MqttSettings,
    SerialSettings,
    UplinkSettings,
    WorkflowSettings,
)
from agent.errors import ConfigError

FILE = Path(__file__).parents[2] / "firmware-config" / "agent.toml"
FILLED = {
    'site = ""': 'site = "rtm1"',
    'id = ""': 'id = "dock-3"',
    'host = ""': 'host = "broker.example"',
    'device = ""': 'device = "/dev/input/by-id/usb-Scanner-event-kbd"',
}
TEXT = FILE.read_text("utf-8")
TABLES = [
    (KioskSettings, "kiosk"),
    (MqttSettings, "mqtt"),
    (UplinkSettings, "uplink"),
    (WorkflowSettings, "workflow"),
    (SerialSettings, "station.scanner"),
    (EvdevSettings, "station.scanner"),
    (GpioSettings, "station.indicator"),
]


def filled_in() -> str:
    text = TEXT
    for empty, full in FILLED.items():
        assert text.count(f"\n{empty}") == 1
        text = text.replace(f"\n{empty}", f"\n{full}")
    return text


def shown(key: str, table: str) -> list[str]:
    """The values that the file shows for a key in the tables of that name, commented out or not."""
    parts = re.split(r"^(?:# )?\[+([\w.]+)\]+$", TEXT, flags=re.MULTILINE)
    text = "".join(body for name, body in zip(parts[1::2], parts[2::2], strict=True) if name == table)
    return re.findall(rf"^(?:# )?{key} = (.+)$", text, re.MULTILINE)


def test_as_it_comes_only_what_must_be_filled_in_is_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        load(FILE, environ={})
    places = {problem.split(":")[0] for problem in refused.value.problems}
    assert places == {"kiosk.site", "kiosk.id", "mqtt.host", "station[0].scanner[0].device"}


def test_filled_in_it_passes_the_check(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(filled_in(), "utf-8")
    out = io.StringIO()
    assert check(file, out) == 0
    assert out.getvalue().startswith("ok      configuration: kiosk rtm1/dock-3, stations 1, hash ")


@pytest.mark.parametrize(("model", "table"), TABLES)
def test_every_option_is_there(model: type[ConfigTable], table: str) -> None:
    assert [key for key in model.model_fields if not shown(key, table)] == []


@pytest.mark.parametrize("word", [*ButtonSettings.model_fields, *JsonlSettings.model_fields])
def test_every_button_and_the_other_indicators_are_named(word: str) -> None:
    assert re.search(rf"\b{word}\b", TEXT)


@pytest.mark.parametrize(("model", "table"), TABLES)
def test_what_is_commented_out_is_the_default(model: type[ConfigTable], table: str) -> None:
    for key, field in model.model_fields.items():
        if field.default is PydanticUndefined or field.default is None or model is GpioSettings:
            continue
        for value in shown(key, table):
            read = tomllib.loads(f"value = {value}")["value"]
            assert (tuple(read) if isinstance(read, list) else read) == field.default, key
