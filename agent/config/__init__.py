"""The configuration file: settings, rules, reading."""

from agent.config.reading import Salvage, config_hash, load, salvage
from agent.config.settings import Config

__all__ = ["Config", "Salvage", "config_hash", "load", "salvage"]
