"""The configuration file: its settings, its rules, and the reading of it."""

from agent.config.reading import Salvage, config_hash, load, salvage
from agent.config.settings import Config

__all__ = ["Config", "Salvage", "config_hash", "load", "salvage"]
