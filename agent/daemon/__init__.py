"""The running kiosk: the composition root, the scan path, and the parts around it."""
