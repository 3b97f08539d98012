"""The commands, one a file; `agent.cli` imports the one that was asked for."""
