# Two commands for a fresh machine: `make demo` and `make test`. `make help` lists the others.
#
# Each target makes what it needs: a virtual environment, the package built and installed in it
# (again when a source changed), the development tools. PYTHON=python3.12 chooses an interpreter;
# it gets an environment of its own, so that switching between two costs nothing.

ifeq ($(origin PYTHON),undefined)
PYTHON := python3
VENV ?= .venv
else
VENV ?= .venv-$(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
endif
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

PIP := $(BIN)/python -m pip --disable-pip-version-check
SOURCES := pyproject.toml CMakeLists.txt $(shell find src -type f ! -name '*.pyc')
FLOORS = $(shell sed -n '/^dependencies = /s/>=/==/gp' pyproject.toml | grep -o '[a-z]*==[0-9.]*')
# The tests that run the official packages' clients or hold replies against their types.
CLIENT_TESTS := tests/test_official.py tests/settings/test_parameters.py tests/losses/test_silent_losses.py \
	$(addprefix tests/simulator/test_,clients.py recordings.py refusals.py replies.py responses.py \
	responses_clients.py stream_clients.py streams.py) tests/calls/test_stream_recordings.py
OLDEST_CLIENTS := openai==2.0.0 anthropic==0.125.0
say = @printf '\n==> %s\n' $(1)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test dev clients floors lint format types bench bench-quick bench-guard soak incidents fuzz dist clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.installed  ## build, then show the main job: a completion, and one that falls back
	$(call say,"Running examples/demo.py")
	@$(BIN)/python examples/demo.py

test: dev  ## build, then run the tests (ARGS='-k name' runs some of them)
	$(call say,"Running the tests")
	@$(BIN)/python -m pytest $(ARGS)

dev: $(VENV)/.installed $(VENV)/.dev  ## install the package and the development tools

# Beside the environment, not in it: that has the releases which the other tests are written for.
clients: dev  ## run the tests of the official packages with their newest and oldest releases
	$(call say,"Installing the newest and the oldest openai and anthropic into build/clients")
	@rm -rf build/clients
	@$(PIP) install --quiet --target build/clients/newest openai anthropic
	@$(PIP) install --quiet --target build/clients/oldest $(OLDEST_CLIENTS)
	@for age in newest oldest; do \
		export PYTHONPATH=build/clients/$$age; \
		$(BIN)/python -c 'import anthropic, openai; print("\n==> Running the tests with openai", \
			openai.__version__, "and anthropic", anthropic.__version__)' && \
		$(BIN)/python -m pytest --quiet $(CLIENT_TESTS) || exit 1; \
	done

floors:  ## run the tests with the oldest dependencies that pyproject.toml allows
	@$(MAKE) --no-print-directory dev VENV=$(VENV)-floors
	$(VENV)-floors/bin/python -m pip --disable-pip-version-check install $(FLOORS)
	@$(VENV)-floors/bin/python -m pytest $(ARGS)

lint: dev  ## check style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: dev  ## put the code into the project's format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Compiled modules have one stub, that of specado._core: stubtest is told to ignore each module of it.
types: dev  ## check the types, and the stub of the compiled surface against what was built
	$(BIN)/mypy
	@mkdir -p build
	@find src/specado/_core -name '[a-z]*.py*' ! -name '*.pyc' | \
		sed -e 's|^src/||' -e 's|\.py.*||' -e 's|/|\\.|g' -e 's|$$|(\\..*)?|' > build/stubtest-allowlist
	$(BIN)/python -m mypy.stubtest specado._core --mypy-config-file pyproject.toml \
		--allowlist build/stubtest-allowlist --ignore-unused-allowlist

bench: dev  ## measure beside the peers, write the table and plots in docs (ARGS='--only call')
	@PYTHONPATH=benchmarks $(BIN)/python -m peers $(or $(ARGS),--write)

bench-quick: dev  ## the same in two minutes: fewer peers and rounds; writes into build/bench only
	@PYTHONPATH=benchmarks $(BIN)/python -m peers --quick $(ARGS)

bench-guard: dev  ## measure specado's own parts, to compare before with after (pytest-benchmark)
	@$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-only $(ARGS)

soak: dev  ## make 100,000 calls from threads and from tasks with faults (ARGS='--calls 2000')
	@$(BIN)/python scripts/soak.py $(ARGS)

incidents: dev  ## play a provider's incidents against specado and openai (ARGS='--only reset')
	@$(BIN)/python scripts/incidents.py $(ARGS)

fuzz: $(VENV)/.installed  ## fuzz what reads a provider's bytes, with atheris (SECONDS=60 a target)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(PIP) install atheris || \
		{ echo "specado: atheris cannot be installed for this Python; it has wheels for CPython 3.11 and later on Linux"; exit 1; }
	@$(BIN)/python scripts/fuzz.py $(or $(SECONDS),60)

dist: dev  ## build the sdist, and the wheel from it, into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation

clean:  ## remove environments, builds and what tools left behind
	rm -rf .venv .venv-* build dist wheelhouse .benchmarks .coverage .coverage.* htmlcov \
		.hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.made:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || \
		{ echo "specado: there is no '$(PYTHON)' on this machine: install Python 3.9 or newer, or say which one to use: make PYTHON=/path/to/python"; exit 1; }
	@"$(PYTHON)" scripts/check_build_tools.py
	$(call say,"Making the virtual environment $(VENV)")
	@"$(PYTHON)" -m venv --clear "$(VENV)"
	@touch $@

$(VENV)/.installed: $(VENV)/.made $(SOURCES)
	$(call say,"Building specado (about a minute the first time)")
	@$(PIP) install .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.installed
	$(call say,"Installing the development tools")
	@$(PIP) install 'specado[dev]'
	@touch $@
