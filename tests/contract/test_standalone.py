"""The contract's modules can be imported by a program that has nothing else of the agent: a consumer, the centre."""

import pkgutil
import subprocess
import sys

import pytest

import agent.contract

MODULES = sorted(f"agent.contract.{module.name}" for module in pkgutil.iter_modules(agent.contract.__path__))
READS_MESSAGES = {f"agent.contract.{module}" for module in ("messages", "order_messages", "parsing", "schemas")}
"""These check what the centre sends, and need pydantic for it."""

DEVICES_AND_STORES = ["evdev", "serial", "gpiozero", "tinydb", "paho", "immutables"]

_IMPORT = """
import importlib, sys
module, *blocked = sys.argv[1:]
sys.modules.update(dict.fromkeys(blocked))
importlib.import_module(module)
ours = {name for name in sys.modules if name.startswith("agent.") and not name.startswith("agent.contract")}
assert not ours, ours
"""


@pytest.mark.parametrize("module", MODULES)
def test_module_is_imported_alone(module: str) -> None:
    blocked = DEVICES_AND_STORES if module in READS_MESSAGES else [*DEVICES_AND_STORES, "pydantic", "pydantic_core"]
    done = subprocess.run([sys.executable, "-c", _IMPORT, module, *blocked], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
