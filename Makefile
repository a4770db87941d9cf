# Nothing is needed but make and Python 3.11 or newer; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CLASH := examples/rollout-anti-affinity
REPAIR := examples/rollout-anti-affinity-repaired

.DEFAULT_GOAL := help
.PHONY: help demo test conform lint format pages clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

demo: $(VENV)/.installed ## check a rollout that gets stuck, then its repair
	@echo '$$ kubelemma check $(CLASH)/'
	@$(BIN)/kubelemma check --no-save $(CLASH)/; status=$$?; \
	  test $$status -eq 1 || { echo "expected exit code 1 (violated), got $$status" >&2; exit 1; }
	@echo
	@echo '$$ kubelemma check $(REPAIR)/'
	@$(BIN)/kubelemma check --no-save $(REPAIR)/; status=$$?; \
	  test $$status -eq 0 || { echo "expected exit code 0 (holds), got $$status" >&2; exit 1; }

test: $(VENV)/.developing ## run all tests, on all cores
	$(BIN)/pytest --numprocesses auto --dist worksteal

conform: $(VENV)/.developing ## judge all recorded runs, which lie beside the project
	$(BIN)/pytest tests/conformance/test_acceptance.py --all-runs

lint: $(VENV)/.developing ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.developing ## let ruff repair what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pages: $(VENV)/.developing ## write the pages of docs/properties/ and docs/fields.md again
	$(BIN)/python tools/property_pages.py
	$(BIN)/python tools/fields_page.py

clean: ## remove the environment and all caches
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .kubelemma
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp file says when a step was done; it is repeated when the file it depends on is newer.

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { \
	  echo 'kubelemma needs Python 3.11 or newer, and there is no $(PYTHON) here.' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "kubelemma needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	    "Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# Dependency groups came with pip 25.1.
$(VENV)/.developing: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@
