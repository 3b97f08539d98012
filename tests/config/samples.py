"""A configuration in parts, and ways to read one."""

from pathlib import Path

import pytest

from agent.config import Config, load
from agent.errors import ConfigError

SECRET = "hunter2-Tr0ub4dor"
KIOSK = """
[kiosk]
site = "rtm1"
id = "dock-3"
state_dir = "/var/lib/kiosk-agent"
"""
MQTT = """
[mqtt]
host = "broker.example"
"""
SCANNER = """
[[station.scanner]]
name = "left"
driver = "serial"
port = "/dev/ttyACM0"
"""
STATION = '\n[[station]]\nid = "1"\n' + SCANNER
GPIO = """
[station.indicator]
driver = "gpio"
red = 17
green = 27
blue = 22
buzzer = 18
bar = [5, 6, 13]
"""
MINIMAL = KIOSK + MQTT + STATION


def read(file: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    file.write_text(text, "utf-8")
    return load(file, environ=environ or {})


def problems(file: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read(file, text, environ)
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


def evdev(keys: str, name: str = "right") -> str:
    return f'\n[[station.scanner]]\nname = "{name}"\ndriver = "evdev"\n{keys}\n'


def with_key(table: str, line: str) -> str:
    return MINIMAL.replace("[mqtt]", f"[mqtt]\n{line}") if table == "mqtt" else MINIMAL + f"[{table}]\n{line}\n"
