# Every target does its own set-up and says what it does. `make help` lists them.

PYTHON ?= python3
VENV   ?= .venv
SERVER ?=
LAYER  ?=
WORKERS = $(shell $(PYTHON) -c "import os; print(2 * os.cpu_count())")
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ON     := $(if $(SERVER),--server $(SERVER))

.DEFAULT_GOAL := help
.PHONY: help setup gen check run test pictures coverage clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(READY)  ## make the virtual environment and install everything into it

$(READY): pyproject.toml pool/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "poolspec needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "setup: installing into $(VENV) (once, about half a minute)"
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "no venv module; on Debian and Ubuntu: apt-get install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ./pool --editable '.[dev]'
	@touch $@

gen: $(READY)  ## turn specs/ into generated_tests/ and docs/coverage/
	@$(BIN)/python tools/async_to_sync.py
	@$(BIN)/poolspec gen

check: $(READY)  ## lint, types, import contracts, generated files up to date
	@echo "check: ruff";              $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@echo "check: mypy";              $(BIN)/mypy --no-error-summary
	@echo "check: import contracts";  out=$$($(BIN)/lint-imports --no-cache 2>&1) || { echo "$$out"; exit 1; }
	@echo "check: generated files";   $(BIN)/python tools/async_to_sync.py --check && $(BIN)/poolspec gen --check

run: $(READY)  ## generate, run the generated tests in parallel, write the report to build/
	@$(BIN)/poolspec run $(ON) $(if $(LAYER),--layer $(LAYER))

# Every worker, and every pytest that a test starts, compiles the same modules: they share them in build/.
test: $(READY)  ## run all tests: the generated ones, the generator's and the pool's
	@PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CURDIR)/build/pycache $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --no-header $(ON) tests generated_tests

pictures: $(READY)  ## run the test of docs/chaos.md on three pools, and draw its pictures in docs/img/
	@$(BIN)/python tools/chaos_pictures.py

# Left out: one child in thirty waits for ever for a lock of coverage's own (Collector.lock_data), which another
# traced thread held at the moment of the fork; nothing of ours is in the way.
MEASURED := -q -p no:xdist -m "not performance" --deselect generated_tests/test_forking.py::TestForking::test_forks_under_load

coverage: $(READY)  ## measure how much of steadypool the generated tests alone go through
	@mkdir -p build && rm -f build/coverage.data*
	@$(BIN)/coverage run -m pytest $(MEASURED) $(ON)
	@$(BIN)/coverage run -m pytest $(MEASURED) $(ON) --pool steadypool-silent
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

clean:  ## remove the virtual environment and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
