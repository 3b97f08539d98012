"""The program on a packing-bench kiosk: scanners in, signals out, events to a durable journal and over MQTT."""

__version__ = "0.1.0"
"""The only place of the version; pyproject.toml reads it from here."""
