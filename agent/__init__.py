"""The kiosk at a packing bench: scanners in, signals out, a durable journal, MQTT to the centre."""

__version__ = "0.1.0"
