# Stillwater: `make run` starts the site, `make test` checks everything (docs/running.md).

PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
BIN = .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check \
      --require-hashes --no-deps --no-compile --no-input
TEST_ARGS ?=
# Their database is not the demo's.
CHECKS = env STILLWATER_VAR=var/checks $(BIN)/python manage.py

.DEFAULT_GOAL = help
.PHONY: help setup run test lint format bench torture messages lock

help:
	@echo 'make run      start the site with its servers at http://$(HOST):$(PORT) (PORT=, HOST=)'
	@echo 'make test     lint, types, contracts, migrations, tests; a real browser included'
	@echo 'make setup    the Python environment alone, in .venv'
	@echo 'make lint     ruff, mypy, import contracts'
	@echo 'make format   let ruff tidy the code'
	@echo 'make bench    measure; prints tables'
	@echo 'make torture  the tests that take long'
	@echo 'make messages collect the texts to translate (docs/translation.md)'
	@echo 'make lock     requirements*.in -> requirements*.txt, with hashes'

setup: .venv/runtime
	@echo "The environment is in .venv."

run: .venv/runtime
	@env HOST=$(HOST) PORT=$(PORT) $(BIN)/python -m calm_site.supervisor --stop-with-parent

test: lint
	@echo '== Migrations and system checks'
	@$(CHECKS) makemigrations --check --dry-run
	@$(CHECKS) check --fail-level WARNING
	@echo '== Browser'
	@$(BIN)/python -m calm_site.chromium
	@echo '== Tests'
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(TEST_ARGS)

lint: .venv/dev
	@echo '== Lint (ruff)'
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@echo '== Types (mypy)'
	@$(BIN)/python -m mypy .
	@echo '== Import contracts'
	@$(BIN)/lint-imports

format: .venv/dev
	@$(BIN)/python -m ruff check --fix-only .
	@$(BIN)/python -m ruff format .

bench: .venv/dev
	@for script in tests/benchmarks/bench_*.py; do \
	  echo "== $$script"; PYTHONPATH=. $(BIN)/python "$$script" || exit 1; done

torture: .venv/dev
	@$(BIN)/python -m calm_site.chromium
	@$(BIN)/python -m pytest -m torture $(TEST_ARGS)

messages: .venv/dev
	@$(CHECKS) makemessages

lock: .venv/dev
	@for name in requirements requirements-dev; do \
	  $(BIN)/python -m uv pip compile --quiet --generate-hashes --no-emit-index-url --universal \
	    --python-version 3.11 $$name.in --output-file $$name.txt || exit 1; done

# Stamps: an environment is touched again only after its lock has changed.

.venv/python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo 'There is no $(PYTHON). Name a Python >= 3.11: make PYTHON=python3.12 …'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$$($(PYTHON) --version) is too old: it takes 3.11. Try: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo 'This Python cannot make environments: install its venv package (python3-venv).'; exit 1; }
	@echo 'Making .venv …'
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/runtime: requirements.txt .venv/python
	@echo 'Installing what the site needs into .venv; about half a minute the first time …'
	@$(PIP) -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt .venv/python
	@echo 'Installing what the tests need into .venv; about a minute the first time …'
	@$(PIP) -r requirements-dev.txt
	@touch .venv/runtime $@
