# Mektep Meter. `make` alone explains the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := mektep_wire mektep_agent mektep_collector mektep_dashboards
CODE := agent collector dashboards deploy tests

.PHONY: help setup lint types imports format check clean lock

help: ## Explain the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(VENV)/ready: requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Mektep Meter needs Python 3.11 to 3.13; say which one with make PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(VENV)/ready ## Make the virtual environment from the locked dependencies

lint: setup ## Check style (ruff)
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

format: setup ## Format the code
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

types: setup ## Check types (mypy --strict)
	$(BIN)/mypy

imports: setup ## Check the import contracts
	$(BIN)/lint-imports

lock: setup ## Lock the dependencies anew, with hashes and without index addresses
	for extra in agent collector dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --extra $$extra --custom-compile-command "make lock" pyproject.toml -o requirements/$$extra.lock; done

clean: ## Remove what the other targets made
	rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
