"""The commands, one file per command. `agent.cli` imports only the one that runs."""
