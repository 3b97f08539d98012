"""The board: the pages that show a supervisor what goes on at the benches."""
