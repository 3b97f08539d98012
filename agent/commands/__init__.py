"""The commands, a file each. `agent.cli` imports only the one that runs."""
