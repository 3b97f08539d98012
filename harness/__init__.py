"""What the black-box tests drive the daemon with. Nothing here knows the agent's code."""
