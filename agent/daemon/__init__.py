"""The kiosk at work: the composition root, the scan path, and what stands beside them."""
