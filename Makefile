# Two commands do all the set-up: `make demo` and `make test`. Both make .venv once and keep it until pyproject.toml or
# constraints.txt change. torch comes by pip with every version pinned, so the pinned build is what is installed.
.DEFAULT_GOAL := help
.PHONY: demo test lint types unit browser clean help

PYTHON ?= python3
DEMO_SERVE ?= 1
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST_FLAGS ?=
# Two workers: the tests start browsers and Streamlit, which more of them would only slow down. One that is done takes over from the other.
WORKERS ?= 2

demo: $(VENV)/.installed ## evaluate the sample's base and adapters, then open the dashboard (DEMO_SERVE=0: do not open it)
	DEMO_SERVE=$(DEMO_SERVE) $(BIN)/lorascope demo

test: lint types unit ## lint, format, types and all tests

lint: $(VENV)/.installed-dev ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## pyright on core and dashboard
	$(BIN)/pyright

unit: $(VENV)/.installed-dev ## pytest, the browser tests included
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_FLAGS)

browser: $(VENV)/.installed-dev ## the browser tests alone
	$(BIN)/python -m pytest -m browser $(PYTEST_FLAGS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "lorascope needs Python 3.11 or newer; found: $$($(PYTHON) --version 2>&1 || echo none)."; \
	  echo "Install one and name it: make PYTHON=python3.11 demo"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV): about 2 minutes and 2 GB, once."
	$(PIP) install --quiet -c constraints.txt torch
	$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

clean: ## remove .venv, caches and the demo's runs; shipped data stays
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build *.egg-info sample_data/.lorascope sample_data/runs/demo-*
	find core dashboard tests benchmarks sample_data -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18
