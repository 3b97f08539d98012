"""The kiosk at a packing bench: reads barcode scanners, signals by light and sound, writes every event to a durable
journal, and publishes the events over MQTT."""

__version__ = "0.1.0"
"""The only place of the version; pyproject.toml reads it from here."""
