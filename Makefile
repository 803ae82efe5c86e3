# make run    set everything up, build the demo study and show it
# make test   set everything up and run every check
# make simulations   the long checks: hundreds of simulated studies (minutes)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
DEMO := demo-study

.PHONY: run test lint types contract unit simulations setup clean

run: setup
	$(BIN)/gazeapp demo $(DEMO)

test: lint types contract unit

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt scripts/system-packages.sh
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gazeapp needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	@sh scripts/system-packages.sh
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

contract: setup
	$(BIN)/lint-imports

unit: setup
	$(BIN)/python -m pytest -q -n 2

simulations: setup
	$(BIN)/python -m pytest -q -m simulation --timeout 3600

clean:
	rm -rf $(VENV) $(DEMO) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
