# Everything builds its own environment first; nothing has to be done before.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Any Python 3.11 to 3.13: make demo PYTHON=/path/to/python3
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := api bench dreamcore dreamfarm farm worker
UNIT := tests/api tests/dreamcore tests/dreamfarm tests/farm tests/worker

.PHONY: environment help demo up test check chaos fuzz contract audit lint types contracts unit bench lock format clean

help: ## Show what can be made.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: environment ## Dream a photograph through a whole farm. IMAGE=my.jpg MODEL=… LAYERS=a,b=2 to use your own.
	@$(BIN)/dreamfarm demo $(if $(IMAGE),--image "$$IMAGE") $(if $(MODEL),--model "$$MODEL") $(if $(LAYERS),--layers "$$LAYERS")

up: environment ## Run a farm here until Ctrl-C.
	@$(BIN)/dreamfarm up

test: lint types contracts ## Check everything, with real servers and a whole farm.
	@infra/browser
	@infra/promtool $(BIN)
	@infra/helm-binary $(BIN)
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: lint types contracts ## Check what needs no servers: under 3 minutes.
	@$(BIN)/python -m pytest -m 'not slow' $(UNIT)

chaos: environment ## Let everything go wrong for 200 jobs and 4 workers: some minutes. SEED=… repeats a run.
	@$(BIN)/python -m tests.chaos $(SEED)

fuzz: environment ## Look for files that break what reads them: 10 minutes. MINUTES=… for another time.
	@$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10)

contract: environment ## Try the whole HTTP contract for ten minutes.
	@$(BIN)/python -m tests.contract 10

audit: environment ## Ask PyPI's advisories about the locked packages.
	@$(BIN)/python -m infra.audit

lint: environment
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: environment
	@$(BIN)/mypy

contracts: environment
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo

bench: environment ## Measure: step times, and what the farm adds to a render.
	@$(BIN)/python -m bench

format: environment ## Lay the code out.
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

lock: ## Write requirements.lock anew from pyproject.toml, and each image's.
	@python=$$(infra/find-python "$(PYTHON)") && $$python -m venv .lock-venv
	@.lock-venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@.lock-venv/bin/uv pip compile pyproject.toml --extra cpu --extra embedded --extra dev --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet \
	  --output-file requirements.lock
	@infra/docker/lock .lock-venv/bin/uv
	@rm -rf .lock-venv

docs: environment ## Build the documentation as a site, in .site.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "The documentation is in .site/index.html."

release: environment ## Build wheel and sdist into dist/, and try them.
	@$(BIN)/python -m infra.licences
	@git diff --exit-code --stat -- docs/licences.md || { echo "docs/licences.md has changed: look at it, and commit it."; exit 1; }
	@$(BIN)/python -m pytest -q tests/release
	@rm -rf dist
	@$(BIN)/python -m hatchling build --directory dist
	@echo "dist/ holds the release; git tag v$$($(BIN)/python -c 'from dreamcore.version import __version__; print(__version__)') names it."

clean: ## Remove the environment, caches and the farm's local data.
	@rm -rf $(VENV) .site dist .lock-venv .dreamfarm .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# What it is made from decides, not the files' times: a second run looks, and goes on.
environment:
	@infra/install $(VENV) "$(PYTHON)"
