"""The centre as a process of the operating system: its log, its locks, systemd, and how it ends."""
