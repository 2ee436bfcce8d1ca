# Every target sets itself up: a virtual environment in .venv, from PyPI. Needs Python >= 3.11, git and make.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Tests of processes wait more than they compute.
WORKERS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))
READY := .venv/.ready

.PHONY: demo test test-long test-editors traffic bench bench-attribution check format docs clean

demo: $(READY)
	@$(BIN)/takeback demo

test: $(READY) check
	$(BIN)/pytest -n $(WORKERS) -m "not long and not editor and not server"
	$(BIN)/pytest -q tests/shell/files/test_halves.py  # in a process without threads, as xdist's are not

test-long: $(READY)
	TAKEBACK_HYPOTHESIS=long $(BIN)/pytest -n auto --dist worksteal -m "not editor" --timeout 7200

test-editors: $(READY)
	$(BIN)/pytest -q -n $(WORKERS) -m "server and not long"
	@bash tests/editors/run.sh

# What editors and the server say to each other, recorded anew for tests/process/test_traffic.py.
traffic: $(READY)
	@bash tests/editors/run.sh --record

bench: $(READY)
	@$(BIN)/python -P bench/run.py

bench-attribution: $(READY)
	@$(BIN)/python -P bench/attribution.py

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The parts of the pages that follow from the code; tests/rules compares them.
docs: $(READY)
	$(BIN)/python -P tests/rules/pages.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Takeback needs Python 3.11 or newer; none was found. Set PYTHON=/path/to/python3."; exit 1; }
	@command -v git >/dev/null || { echo "Takeback needs git; none was found."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module; install it (Debian: apt install python3-venv)."; exit 1; }
	@echo "Setting up .venv (once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[mcp]" --group dev
	@touch $(READY)

clean:
	rm -rf .venv .bench
