# What can be made. `make demo` and `make test` work on a fresh machine: they set everything up first.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo centre docs lint unit test soak bench bench-centre bench-plot lock clean
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(STAMP): pyproject.toml scripts/setup locks/build.txt locks/dev.txt
	PYTHON=$(PYTHON) scripts/setup $(VENV)
	@touch $@

demo: $(STAMP) ## play a day's work on this machine and check that every event has arrived
	$(BIN)/kiosk-agent demo --play

centre: $(STAMP) ## run a broker, a centre and two simulated kiosks that work until it is stopped
	$(BIN)/python -m agent.demo.working_site

docs: $(STAMP) ## regenerate what docs/reference/ takes from the code
	$(BIN)/python -m scripts.docs

lint: $(STAMP) ## run ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: $(STAMP) ## run the tests that start no daemon and no broker of their own (under a minute)
	$(BIN)/pytest -n 2 $(foreach place,system deploy harness demo field/test_daemon.py,--ignore=tests/$(place))

test: lint ## run everything that must pass before a change lands, with the minimum of coverage
	$(BIN)/pytest -n 2 --cov --cov-report=json:.coverage.json
	$(BIN)/python scripts/coverage_floors.py .coverage.json

soak: $(STAMP) ## run the long forms of the fault suite
	$(BIN)/pytest -m soak --run-soak tests/system

bench: $(STAMP) ## measure the budgets of speed and size against interleaved references
	$(BIN)/python -m bench

bench-centre: $(STAMP) ## measure the centre's budgets of speed against interleaved references
	$(BIN)/python -m bench.centre_bench

bench-plot: $(STAMP) ## draw the last bench
	$(BIN)/python -m bench.plot

COMPILE = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url
lock: $(STAMP) ## renew the locked versions in locks/
	$(COMPILE) -o locks/build.txt locks/build.in
	$(COMPILE) --extra gpio -c locks/build.txt -o locks/kiosk.txt pyproject.toml
	$(COMPILE) --all-extras -c locks/build.txt -c locks/kiosk.txt -o locks/dev.txt pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*

-include make/*.mk
