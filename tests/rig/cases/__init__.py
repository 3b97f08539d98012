"""The device tests, by subject."""
