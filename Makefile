# Mektep Meter. `make` alone explains the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := mektep_wire mektep_agent mektep_collector mektep_dashboards
CODE := agent collector dashboards deploy tests

.PHONY: help setup lint types imports format lock clean schema reference words test test-quick check demo pictures chaos fuzz bench bench-links bench-mlab bench-clients bench-agent bench-ingest bench-memory bench-three bench-cost bench-catch-up bench-store bench-measure

help: ## Explain the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

PROGRAM_LOCKS := $(foreach extra,agent collector build,requirements/$(extra).lock)

$(VENV)/programs: $(PROGRAM_LOCKS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Mektep Meter needs Python 3.11 to 3.13; say which one with make PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@for lock in $(PROGRAM_LOCKS); do $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $$lock; done
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/ready: $(VENV)/programs requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
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
	for extra in agent build collector dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --extra $$extra --custom-compile-command "make lock" pyproject.toml -o requirements/$$extra.lock; done

clean: ## Remove what the other targets made
	rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

schema: setup ## Publish the wire's JSON Schema and the interface's OpenAPI after a change that is meant
	$(BIN)/python -m tests.support.publish_schema
	$(BIN)/python -m tests.support.publish_openapi

test: setup ## Run all tests (needs root for the link laboratory; installs Chromium, Node packages, iperf3 where it can)
	@./deploy/test/install-peers
	@./deploy/test/install-influxd
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest tests -m "not alone and not slow_links" -n auto --dist loadscope --durations 25 --durations-min 5
	$(BIN)/python -m pytest tests/links -m slow_links -n 2 --dist loadfile --durations 10 --durations-min 5
	$(BIN)/python -m pytest tests -m alone --durations 15 --durations-min 5

test-quick: setup ## Run the tests of pure parts, contracts and architecture: no rights, no foreign programs (<= 90 s)
	$(BIN)/python -m pytest tests/unit tests/contract tests/architecture -n auto --dist loadscope -m "not rights and not peer and not slow"

check: lint types imports test ## What CI runs: lint, types, imports, test

demo: $(VENV)/programs ## Collector, measuring server and one real agent on this machine; ONCE=1 ends after one reading
	@$(BIN)/python deploy/demo/run.py $(if $(ONCE),--once)

chaos: setup ## Kill, cut the power, fill the disk: nothing lost, nothing twice; minutes, or LONG=1 for 2,000 kills (root)
	@./deploy/test/install-influxd
	MEKTEP_CHAOS_KILLS=$(if $(LONG),2000,200) MEKTEP_CHAOS_RUNS=$(if $(LONG),1000,60) MEKTEP_CHAOS_FULL_DISKS=$(if $(LONG),500,60) MEKTEP_CHAOS_DATABASE_KILLS=$(if $(LONG),300,30) \
	  OUTBOX_KILLS_COUNT=$(if $(LONG),2000,200) $(BIN)/python -m pytest tests/chaos tests/integration/test_agent_outbox_killed.py -n auto -rP -o timeout=14400

fuzz: setup ## Spoil batches at random for ten minutes (SECONDS=...): each is refused by name or taken, and nothing else
	$(BIN)/python -m tests.support.fuzz_acceptance --seconds $(or $(SECONDS),600)

bench: bench-links bench-mlab bench-clients bench-agent bench-ingest bench-memory bench-three bench-cost bench-catch-up bench-store bench-measure ## Print the figures that are promised, with their conditions

bench-links: setup ## The frugal test on a grid of links of known truth; writes docs/methods/links-grid.md (root)
	$(BIN)/python -m tests.bench.links_grid --write

bench-mlab: setup ## Full-length tests on clean links of known truth, beside M-Lab's JavaScript client (root)
	$(BIN)/python -m tests.bench.links_accuracy

bench-clients: setup ## What a test at 300 Mbit/s costs: ours beside M-Lab's client and speedtest-cli (root)
	$(BIN)/python -m tests.bench.clients_at_300

bench-agent: setup ## The agent's memory and processor at rest, and the processor that a download costs
	$(BIN)/python -m tests.bench.agent_at_rest
	$(BIN)/python -m tests.bench.ndt7_client_cpu

bench-ingest: setup ## Readings that the collector takes in a second of processor time, beside InfluxDB 1.8.10
	@./deploy/test/install-influxd
	$(BIN)/python -m tests.bench.ingest

bench-memory: setup ## The accepting server's memory while 10,000,000 readings come (about 10 minutes; 2 GB of disk)
	$(BIN)/python -m tests.bench.memory

bench-three: setup ## One collector and three with one PostgreSQL and one InfluxDB under the same load (root; about 8 minutes)
	@./deploy/test/install-peers
	@./deploy/test/install-influxd
	$(BIN)/python -m tests.bench.collectors

bench-cost: setup ## How acceptance and questions grow: 375, 3,750 and 37,500 schools (about 25 minutes; 5 GB of disk)
	$(BIN)/python -m tests.bench.cost_curve

bench-store: setup ## The stores at a country's size: 7,500 schools x 90 days (about 45 minutes; 5 GB of disk)
	@./deploy/test/install-influxd
	$(BIN)/python -m tests.bench.store

bench-catch-up: setup ## A country comes back at once with three days of backlog: 7,500 simulated schools (about 10 minutes)
	$(BIN)/python -m tests.bench.catch_up

words: setup ## Take new words of the pages into the three catalogues; then translate them
	$(BIN)/python -m tests.support.extract_messages

reference: setup ## Write the reference pages that come from the code: commands, settings, metrics, words
	$(BIN)/python -m tests.support.publish_reference

pictures: setup ## Take the pictures of the documentation anew (Chromium)
	$(BIN)/python -m tests.support.take_pictures

bench-measure: setup ## What a test costs the measuring server, and the echo beside it
	$(BIN)/python -m tests.bench.measure_server
