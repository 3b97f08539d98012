"""What stored events mean: pure functions from events to boxes, units and orders."""
