"""REST and the board: everything that speaks HTTP."""
