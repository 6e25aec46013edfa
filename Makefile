# The commands of this project; `make` alone lists them.
#
# ARGS is handed on by `make run`: make run ARGS="--data-dir /tmp/shop --listen 127.0.0.1:9000"
# CARGO_FLAGS is handed to every build: make test CARGO_FLAGS=--locked

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ARGS ?=
CARGO_FLAGS ?=

# Property tests look at the same cases in every run, so that what fails is the change's doing; PROPTEST_RNG_SEED=n looks at others.
export PROPTEST_RNG_SEED ?= 1

.PHONY: help
help: ## Lists these targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

.PHONY: run
run: ## Starts all of Rekey in one process, on SQLite, with a demo organization
	cargo run $(CARGO_FLAGS) --package rekey-cli --bin rekey -- dev $(ARGS)

.PHONY: setup
setup: ## Installs what the tests need beside Rust (Debian, as root)
	@scripts/setup.sh

# The servers start after the build, so that they don't stand about meanwhile; the end-to-end tests start the real programs.
.PHONY: test
test: setup compose-check ## Runs every test, on a real PostgreSQL, RabbitMQ and SMTP server
	cargo build $(CARGO_FLAGS) --workspace --bins
	cargo test $(CARGO_FLAGS) --workspace --no-run
	scripts/with-services.sh cargo test $(CARGO_FLAGS) --workspace --no-fail-fast

.PHONY: openapi
openapi: ## Writes docs/openapi.json anew, the API's description
	cargo run $(CARGO_FLAGS) --quiet --package rekey-api --example openapi >docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json

.PHONY: storefront
storefront: setup ## Bundles the demo storefront anew, with the vendor's clients
	cd examples/storefront && node build.js

.PHONY: blocklist
blocklist: ## Makes the list of common passwords anew (network: PyPI and npm)
	@scripts/blocklist.sh

.PHONY: bench
bench: setup ## Measures the release build: memory, start, time to the mail, and lists of 1,000,000 resets
	cargo build $(CARGO_FLAGS) --release --workspace --bins
	scripts/with-services.sh cargo bench $(CARGO_FLAGS) --package rekey-e2e --bench figures --bench lists

.PHONY: check
check: ## The quick loop: format, clippy and the tests that need no server
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	cargo test $(CARGO_FLAGS) --workspace --lib

.PHONY: lint
lint: fmt-check clippy deny shellcheck ## Format, clippy, dependencies, shell scripts

.PHONY: fmt-check
fmt-check: ## Is everything formatted?
	cargo fmt --all --check

.PHONY: clippy
clippy: ## Clippy, where a warning is an error
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings

.PHONY: deny
deny: ## Which dependencies, under which licences, from where
	scripts/cargo-deny.sh check bans licenses sources

.PHONY: shellcheck
shellcheck: setup ## Shellcheck over the scripts, and their line ends in a clone
	shellcheck .ci/run scripts/*.sh deploy/*.sh deploy/postgres/*.sh
	scripts/line-ends.sh

.PHONY: audit
audit: ## Asks the advisory database about the dependencies (network)
	scripts/cargo-deny.sh check advisories

.PHONY: compose-check
compose-check: setup ## Is docker-compose.yml sound?
	@scripts/compose-check.sh
