"""The budgets of speed and size, measured on the real daemon from outside: `python -m bench`."""
