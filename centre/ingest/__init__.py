"""From a message of a kiosk to a committed transaction and its acknowledgement."""
