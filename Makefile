# kiosk-agent: what can be made. `make demo` and `make test` work on a fresh machine.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test lint soak bench bench-plot clean
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(STAMP): pyproject.toml scripts/setup
	PYTHON=$(PYTHON) scripts/setup $(VENV)
	@touch $@

demo: $(STAMP) ## the whole thing on this machine plays itself, and checks that everything arrived
	$(BIN)/kiosk-agent demo --play

lint: $(STAMP) ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## everything that must pass before a change lands
	$(BIN)/pytest

soak: $(STAMP) ## the long forms of the fault suite
	$(BIN)/pytest -m soak --run-soak tests/system

bench: $(STAMP) ## the budgets of speed and size, against interleaved references
	$(BIN)/python -m bench

bench-plot: $(STAMP) ## draw the last bench
	$(BIN)/python -m bench.plot

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

-include make/*.mk
