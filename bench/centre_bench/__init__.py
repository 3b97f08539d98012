"""The budgets of the centre's speed, measured on the real centre: `python -m bench.centre_bench`."""
