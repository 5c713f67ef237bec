# What there is to do here. `make` alone lists it. Needed on the machine: Python 3.11 or later with venv, and make.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
# Tests start hundreds of processes. Without byte code each compiles the tree anew: a third of the time of a start.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/pytest
EXTRAS := channels,dev,email,oracles,postgresql,spelling
STAMP := $(VENV)/.installed
CONFIG ?= config.example.toml
HOURS ?= 1
MINUTES ?= 10
# Many tests wait for a modem's time to pass: three workers keep two processors busy.
WORKERS ?= 3
PYTEST_ARGS ?=
JSON ?=
BENCH_ARGS ?=

.PHONY: help run test coverage coverage-core test-long soak guarantees troubles bench fresh check format venv constraints clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

# Everything that is installed follows from these two files, so a second call has nothing to do.
$(STAMP): pyproject.toml constraints.txt
	@VENV=$(VENV) EXTRAS=$(EXTRAS) sh scripts/install.sh
	@touch $@

venv: $(STAMP) ## make .venv with everything that running and developing needs

run: $(STAMP) ## start the gateway on config.example.toml: one simulated modem, everything kept under ./state
	@exec $(BIN)/tocsin serve --config $(CONFIG)

test: $(STAMP) ## the tests; one that needs a program that is missing is skipped and names the package
	@$(PYTEST) -m "not long and not fresh" --numprocesses=$(WORKERS) --dist=worksteal $(PYTEST_ARGS)

# Measuring takes three times as long as testing, so it is a run of its own.
coverage: $(STAMP) ## the tests, measured: every branch of drivers/tpdu and drivers/at, 90 % of everything
	@rm -f .coverage .coverage.*
	@HYPOTHESIS_PROFILE=dev $(PYTEST) -m "not long and not fresh" --numprocesses=auto --cov --cov-report= $(PYTEST_ARGS)
	@$(BIN)/coverage report --include='drivers/tpdu/*,drivers/at/*' --fail-under=100
	@$(BIN)/coverage report --fail-under=90

coverage-core: $(STAMP) ## the tests of the codec and the AT dialogue alone, measured: every branch of them
	@rm -f .coverage .coverage.*
	@HYPOTHESIS_PROFILE=dev $(PYTEST) -m "not long and not fresh" --numprocesses=auto --cov --cov-report= tests/drivers/at tests/drivers/tpdu tests/drivers/sim tests/property/test_tpdu_*.py
	@$(BIN)/coverage report --include='drivers/tpdu/*,drivers/at/*' --fail-under=100

test-long: $(STAMP) ## short forms of the long runs: codec fuzz, sending soak, kills at every place and at random
	@$(PYTEST) -m long --numprocesses=auto --dist=worksteal $(PYTEST_ARGS)

soak: $(STAMP) ## the long runs of this version without their short limit, in fresh random cases: make soak HOURS=2
	@TOCSIN_SOAK_HOURS=$(HOURS) HYPOTHESIS_PROFILE=soak $(PYTEST) -m long -s $(PYTEST_ARGS)

guarantees: $(STAMP) ## kill the gateway at every place with every answer and policy; write the table of docs/explanation/guarantees.md anew
	@PYTHONPATH=.:tests $(BIN)/python -m support.crash_table

troubles: $(STAMP) ## eight modems in trouble for some minutes; write the table of docs/explanation/troubles.md anew: make troubles MINUTES=10
	@PYTHONPATH=.:tests MINUTES=$(MINUTES) $(BIN)/python -m support.trouble_table

bench: $(STAMP) ## the benchmarks, about four minutes: a table; make bench JSON=FILE BENCH_ARGS="--peers --backlog 1000000"
	@$(BIN)/python -m bench $(if $(JSON),--json $(JSON)) $(BENCH_ARGS)

fresh: $(STAMP) ## somebody's first minute: clone, make run, the README's line, Ctrl-C, once more (installs anew; port 7672 free)
	@$(PYTEST) -m fresh tests/fresh $(PYTEST_ARGS)

check: $(STAMP) ## what a reviewer would run: formatting, lint, types, import contracts, dependencies
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/pip check

format: $(STAMP) ## let ruff format the tree and mend what it can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

constraints: ## write constraints.txt anew from the newest versions that pyproject.toml allows
	@sh scripts/constraints.sh

clean: ## remove .venv and caches; never ./state
	@rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist tocsin.egg-info .coverage .coverage.*
	@find api bench drivers gateway tests -name __pycache__ -type d -prune -exec rm -rf {} +
