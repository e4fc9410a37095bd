# Everything a newcomer needs, on a machine with Python 3.11 or newer and make.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest
APPS := mlconnector tenants mappings integrations

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-database lint format bench lock clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-15s %s\n", $$1, $$2}'

$(VENV)/demo: requirements.lock
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the lock names …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/dev: requirements-dev.lock
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the lock names …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/demo

demo: $(VENV)/demo ## carry a sandboxed company's bills to a sandboxed board, report, keep serving (ONCE=1: exit after the report)
	@mkdir -p var && VAR_DIR="$$(mktemp -d "$(CURDIR)/var/demo.XXXXXX")" $(PY) manage.py demo $(if $(ONCE),--once) $(if $(BILLS),--bills $(BILLS))

test: $(VENV)/dev ## every test, on SQLite, in parallel
	@$(PYTEST) -n auto -q

test-fast: $(VENV)/dev ## the inner loop: what takes seconds is left out
	@$(PYTEST) -n auto -q -m "not slow and not browser"

test-database: $(VENV)/dev ## what touches the database's own behaviour, on the PostgreSQL that DATABASE_URL names
	@$(PYTEST) -q -m database

lint: $(VENV)/dev ## ruff, mypy, the direction of imports, Django's own checks, migrations
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy $(APPS)
	@$(VENV)/bin/lint-imports --no-cache
	@$(PY) -m tests.production_check
	@$(PY) manage.py makemigrations --check --dry-run

format: $(VENV)/dev ## let ruff format and mend
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

bench: $(VENV)/dev ## the table of speeds, calls and memory, each beside its bound
	@$(PY) -m tests.bench

lock: ## pin what pyproject.toml names, with hashes and without addresses (needs uv)
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove what was installed and made here
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis
