# Everything that is done with Vigie, one word each. `make` lists them.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# Queries are checked against .sqlx, so that building needs no database.
export SQLX_OFFLINE := true

VIGIE := $(or $(CARGO_TARGET_DIR),target)/debug/vigie
ORACLE := $(or $(CARGO_TARGET_DIR),target)/debug/vigie-oracle
# A build of its own, so that no other one can break the log on purpose.
SABOTAGED := --features sabotage --target-dir target/sabotage
# A command with a new Postgres for its duration. The tests choose their databases themselves.
WITH_POSTGRES := $(VIGIE) postgres run --throwaway -- env -u DATABASE_URL

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: optional-ui build ## Build everything, serve on http://127.0.0.1:8080, play the demo day
	@exec $(VIGIE) serve --demo $(ARGS)

.PHONY: demo
demo: build ## Play the demo day into the running server: make demo ARGS='--speed 600'
	@exec $(VIGIE) demo $(ARGS)

.PHONY: doctor
doctor: build ## Say what is configured, what is reachable, and which versions
	@$(VIGIE) doctor $(ARGS)

.PHONY: build
build: ## Build the program (target/debug/vigie)
	@scripts/need.sh cargo postgres
	cargo build --locked --package vigie-api

.PHONY: ui
ui: ## Build the page at /graphql, if its sources have changed
	@scripts/ui.sh

.PHONY: optional-ui
optional-ui:
	@scripts/ui.sh --optional

.PHONY: test
test: ui browser clients build ## Run every test on a Postgres of their own: make test ARGS='--package vigie-domain'
	$(WITH_POSTGRES) cargo test --locked --no-fail-fast $(or $(ARGS),--workspace)

.PHONY: fuzz
fuzz: build ## Ask the running program what schemathesis makes up: make fuzz SECONDS=600
	@scripts/need.sh cargo postgres python
	@scripts/venv.sh tests/fuzz
	VIGIE_FUZZ_SECONDS=$(or $(SECONDS),120) cargo test --locked --package vigie-tests --test system -- --ignored --nocapture fuzz

.PHONY: oracle
oracle: ## Break everything around the log, prove that its promises hold: make oracle SECONDS=1800
	@scripts/need.sh cargo postgres
	cargo build --quiet --locked --package vigie-oracle $(if $(SABOTAGE),$(SABOTAGED))
	@$(if $(SABOTAGE),target/sabotage/debug/vigie-oracle,$(ORACLE)) run --seconds $(or $(SECONDS),45) $(SABOTAGE:%=--sabotage %) $(ARGS)

.PHONY: oracle-sabotage
oracle-sabotage: ## Break the log on purpose in three ways, and show that the oracle notices each
	@scripts/need.sh cargo postgres
	cargo build --quiet --locked --package vigie-oracle $(SABOTAGED)
	@for sabotage in early-unlock torn-checkpoint blind-retry; do \
	  status=0; target/sabotage/debug/vigie-oracle run --seconds $(or $(SECONDS),10) --sabotage $$sabotage || status=$$?; \
	  [ "$$status" = 1 ] || { echo "$$sabotage was not noticed (exit code $$status)" >&2; exit 1; }; \
	done; echo 'each sabotage was noticed'

.PHONY: browser
browser:
	@scripts/need.sh node chromium redis
	@scripts/browser.sh

.PHONY: clients
clients:
	@scripts/need.sh node python
	@scripts/clients.sh

.PHONY: check
check: optional-ui ## The gate: format, lints, docs, generated files, licences, unused dependencies
	@scripts/check.sh

.PHONY: fmt
fmt: ## Format the code
	cargo fmt --all

.PHONY: generate
generate: sqlx schema ## Make every generated file anew

.PHONY: sqlx
sqlx: build ## Make .sqlx anew: what the database says about each query
	@$(VIGIE) postgres run --throwaway -- scripts/sqlx.sh

.PHONY: schema
schema: build ## Make schema.graphql, docs/configuration.md and docs/webhooks/*.json anew
	VIGIE_WRITE_GENERATED=1 $(WITH_POSTGRES) cargo test --locked --package vigie-api --package vigie-integrations --lib -- schema documented

.PHONY: setup
setup: ## Install what is missing on this machine: Postgres, Redis, Node, Chromium
	@scripts/setup.sh

.PHONY: clean
clean: ## Remove what was built; the data folder stays
	cargo clean
	rm -rf api/ui/node_modules
