"""The centre's configuration file: its settings, its rules, and reading it."""
