"""The commands of `kiosk-centre`, one a module."""
