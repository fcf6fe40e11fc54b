# Thin on purpose: what each word does is in scripts/.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down clean-demo check fix test fuzz journey lock images engine

help: ## this list
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z%-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: ## from a fresh machine to an open desk; prints the address and the logins
	@scripts/demo.sh

setup: ## .venv with the vitrine command
	@scripts/setup.sh

down: ## stop everything, keep the data
	@scripts/stack.sh down

clean-demo: down ## stop everything and remove the data
	@scripts/stack.sh remove-data

up: engine setup images ## start the services without the demo (production: see README)
	@scripts/stack.sh up

check: setup ## the fast gate: ruff, mypy, architecture, generated pages
	@scripts/check.sh

fix: setup ## format, and repair what ruff can
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

test: ## every test: units, real containers, real browser
	@scripts/test.sh

journey: ## the journey test alone
	@scripts/test.sh -m journey

fuzz: setup ## property tests and fuzzers, with other examples each time
	@VITRINE_FUZZ=1 .venv/bin/python -m pytest -q tests/attacks tests/unit

bench-%: ## one benchmark, by name; its options in ARGS="…"
	@scripts/bench.sh $* $(ARGS)

lock: setup ## requirements/*.lock from requirements/*.in
	@scripts/lock.sh

engine:
	@scripts/engine.sh

images:
	@scripts/images.sh
