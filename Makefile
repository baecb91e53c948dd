# Everything a newcomer needs; `make help` lists it. Needs Python 3.11-3.13 (with venv) and make, nothing else.
# the newest of these that runs (a pyenv shim may be on the PATH and not run)
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c 'import venv' 2>/dev/null && echo $$p && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 found: install one, or say make PYTHON=/path/to/python3.x"; exit 2; }
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] <= (3, 13); sys.exit(0 if ok else "Python 3.11, 3.12 or 3.13 is needed, $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=/path/to/python3.x")'
	@echo "setting up $(VENV) with the locked dependencies (once, about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY) ## the virtual environment with the locked dependencies

demo: $(READY) ## the worked example from playbook to configured network, on the embedded lab
	@$(BIN)/turnup demo

test: $(READY) ## lint, types, import contracts and every test that needs no containers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist loadfile

bench: $(READY) ## figures: a table, and build/bench.json
	@$(BIN)/python -m tests.bench

chaos: $(READY) ## workers killed, frozen and faulted for minutes; ends with what was lost, doubled, orphaned or differs
	@$(BIN)/python -m tests.chaos

lock: $(READY) ## bring requirements.lock in line with pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --group dev pyproject.toml -o requirements.lock

clean: ## the environment, caches and the demo's state
	rm -rf $(VENV) .turnup build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.PHONY: help setup demo test bench chaos lock clean
