# Everything a developer or an operator's laptop does with Vigil, one word each. `make` lists them.
# Needs only make and a Python of 3.11 to 3.13; all else goes into git-ignored folders here.

POETRY_VERSION := 2.5.1
EXPORT_VERSION := 1.10.1
MIRROR_VERSION := 0.6.5

VENV  := .venv
TOOLS := .tools
BIN   := $(VENV)/bin
CODE  := $(wildcard domain persistence worker migrations deploy benchmarks)

# One interpreter if you name it (make install PYTHON=python3.12), else the first of these that will do.
PYTHON     ?=
CANDIDATES := $(or $(PYTHON),python3 python3.13 python3.12 python3.11)

# Poetry's own folders stay in here too, so that nothing is left in a home directory.
POETRY := POETRY_VIRTUALENVS_CREATE=false POETRY_CACHE_DIR=$(CURDIR)/$(TOOLS)/cache \
          POETRY_CONFIG_DIR=$(CURDIR)/$(TOOLS)/config $(TOOLS)/bin/poetry
TOOLS_READY := $(TOOLS)/poetry-$(POETRY_VERSION)-$(EXPORT_VERSION)-$(MIRROR_VERSION).ready
PIP_QUIET   := --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install lock run test lint format types check er schemas faults bench mutants lock-check clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/ready ## make .venv with everything in it, the command `vigil` included

run: install ## show a live ward: Kafka, PostgreSQL, the worker, a simulator (make run SECONDS=30 stops by itself)
	$(BIN)/python -m deploy.local.demo $(if $(filter command%,$(origin SECONDS)),--seconds $(SECONDS))

# Two files of tests at a time, each side with services of its own; JOBS=0 runs them one after the other.
JOBS ?= 2

test: install ## run all tests against a real Kafka and a real PostgreSQL (ARGS="-k name" picks some)
	VIGIL_REQUIRE_SERVICES=1 $(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadfile $(ARGS)

lint: install lock-check ## ruff, its formatter in check mode, pylint, and whether the lock file fits
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pylint $(CODE)

format: install ## let ruff format the code and mend what it safely can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: install ## mypy --strict
	$(BIN)/mypy $(CODE:%=-p %)

check: lint types test ## all that a change must pass

er: install ## draw the entity-relationship diagram from the tables
	$(BIN)/python -m persistence.diagram

schemas: install ## write the JSON Schemas of the messages into worker/schemas
	$(BIN)/python -m worker.messages.schemas

faults: install ## kill, freeze and cut off everything under load, and see that nothing is lost (build/faults.json)
	$(BIN)/python -m tests.faults $(ARGS)

bench: install ## measure throughput and latency against the tutorial way and the floor
	$(BIN)/python -m benchmarks $(ARGS)

mutants: install ## try a seeded sample of small slips in domain/ against its tests (VIGIL_MUTATION_SEED=7 picks others)
	$(BIN)/python -m tests.mutation

lock: $(TOOLS_READY) ## solve the dependencies anew, through whatever index pip is set up to use
	POETRY_PYPI_MIRROR_URL=$${PIP_INDEX_URL:-$$($(TOOLS)/bin/python -c \
	  'from pip._internal.models.index import PyPI; print(PyPI.simple_url)')}/ $(POETRY) lock

lock-check: $(TOOLS_READY) ## whether the lock file fits pyproject.toml
	$(POETRY) check --lock

clean: ## remove what make made: environments, local services' data, caches
	rm -rf $(VENV) $(TOOLS) .local .mypy_cache .pytest_cache .ruff_cache .hypothesis htmlcov .coverage dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: exactly what the lock file says, every file checked against its hash. The project's
# own build needs poetry-core, which is locked as well, so nothing is fetched outside the lock.
$(VENV)/ready: $(TOOLS)/requirements.txt
	@test -x $(BIN)/python || $(TOOLS)/bin/python -m venv $(VENV)
	@echo "installing the locked dependencies into $(VENV)"
	@$(BIN)/python -m pip install $(PIP_QUIET) --require-hashes -r $<
	@$(BIN)/python -m pip install $(PIP_QUIET) --no-deps --no-build-isolation --editable .
	@touch $@

$(TOOLS)/requirements.txt: poetry.lock pyproject.toml $(TOOLS_READY)
	@$(POETRY) --quiet check --lock || { $(POETRY) check --lock; exit 1; }
	@$(POETRY) --quiet export --with dev --output $@
	@touch $@

$(TOOLS_READY):
	@python=; for candidate in $(CANDIDATES); do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	    2>/dev/null; then python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "Vigil needs Python 3.11, 3.12 or 3.13 with venv; tried: $(CANDIDATES). Name one with PYTHON=..." >&2; exit 1; \
	fi; \
	echo "setting up Poetry $(POETRY_VERSION) in $(TOOLS) with $$python"; \
	rm -rf $(TOOLS)/bin $(TOOLS)/lib $(TOOLS)/*.ready; \
	"$$python" -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip install $(PIP_QUIET) poetry==$(POETRY_VERSION) \
	  poetry-plugin-export==$(EXPORT_VERSION) poetry-plugin-pypi-mirror==$(MIRROR_VERSION)
	@touch $@
