# Nothing is needed but make and Python 3.11 or newer; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BLOCKED := examples/drain-blocked-by-budget

.DEFAULT_GOAL := help
.PHONY: help demo test conform lint format site pages clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

demo: $(VENV)/.installed ## check a drain that never ends, then its repair
	@echo '$$ kubelemma check $(BLOCKED)/'
	@$(BIN)/kubelemma check $(BLOCKED)/; status=$$?; \
	  test $$status -eq 1 || { echo "expected exit code 1 (violated), got $$status" >&2; exit 1; }
	@echo
	@echo '$$ kubelemma check $(BLOCKED)-repaired/ --quiet   # with a second replica'
	@$(BIN)/kubelemma check $(BLOCKED)-repaired/ --quiet; status=$$?; \
	  test $$status -eq 0 || { echo "expected exit code 0 (holds), got $$status" >&2; exit 1; }
	@echo
	@echo 'What to try next'
	@echo '  . $(BIN)/activate   # puts kubelemma on the path'
	@echo '  kubelemma check YOUR-MANIFESTS/'
	@echo '  kubelemma check $(BLOCKED)/ --report html=report.html'
	@echo '  kubelemma place examples/placement-does-not-fit/ --by node'

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

site: $(VENV)/.documenting ## build the documentation as web pages: site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo 'Open site/index.html. Only its search needs a server, of this machine:'
	@echo '  python3 -m http.server --directory site'

pages: $(VENV)/.developing ## write again what pages have from the code: outputs, properties, fields, coverage
	$(BIN)/python tools/property_pages.py
	$(BIN)/python tools/fields_page.py
	$(BIN)/python tools/coverage_page.py
	$(BIN)/python tools/shown_output.py

clean: ## remove the environment and all caches
	rm -rf $(VENV) dist build site .mypy_cache .ruff_cache .pytest_cache .hypothesis .kubelemma
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
	@echo 'Installing kubelemma and what it needs into $(VENV), which is done once:'
	@rm -f $@
	@{ $(BIN)/python -m pip install --disable-pip-version-check --editable . && touch $@; } \
	  | awk '/^ *Downloading|^ *Using cached/ { \
	           name = $$2 == "cached" ? $$3 : $$2; sub(/.*\//, "", name); sub(/-[cp][py][0-9].*/, "", name); \
	           printf "%s %s", (n++ % 5 ? "" : n > 1 ? "\n " : " "), name; fflush() } \
	         /^Installing collected/ { print "\n  all of them are being written to the disk ..."; fflush() }'
	@test -e $@

$(VENV)/.documenting: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

# Dependency groups came with pip 25.1.
$(VENV)/.developing: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@
