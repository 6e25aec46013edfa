# The commands of this project; `make` alone lists them.
#
# ARGS are arguments for `make run`: make run ARGS="--data-dir /tmp/shop --listen 127.0.0.1:9000"
# CARGO_FLAGS are arguments for every build: make test CARGO_FLAGS=--locked
# BENCH chooses programs of `make bench`: make bench BENCH="figures peers"
# AUDIT_FLAGS are arguments for `make audit`: --disable-fetch uses the advisory database as it was fetched last.
# MUTANTS are arguments of cargo-mutants for `make mutants`.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ARGS ?=
CARGO_FLAGS ?=
AUDIT_FLAGS ?=
MUTANTS ?=
BENCH ?= creates completes relay mailer scaling latency peers figures lists metrics audit_chain webhooks

# Property tests use the same cases in every run, so that a failure comes from the change; PROPTEST_RNG_SEED=n uses others.
export PROPTEST_RNG_SEED ?= 1

.PHONY: help
help: ## List these targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

.PHONY: run
run: ## Start all of Rekey in one process, on SQLite, with a demo organization
	cargo run $(CARGO_FLAGS) --package rekey-cli --bin rekey -- dev $(ARGS)

.PHONY: setup
setup: ## Install what the tests need besides Rust (Debian, as root)
	@scripts/setup.sh

# The end-to-end tests start the real programs, so those are built first. The servers start only after the build. The times of log-ins are
# compared while nothing else uses the processors. The upgrade is tried from an older version's programs, which are built once, from the history.
.PHONY: test
test: setup deploy-check ## Run every test, with a real PostgreSQL, RabbitMQ and SMTP server
	cargo build $(CARGO_FLAGS) --workspace --bins
	scripts/backup-check.sh
	cargo test $(CARGO_FLAGS) --workspace --no-run
	scripts/upgrade-check.sh $(CARGO_FLAGS)
	cargo test $(CARGO_FLAGS) --workspace --test http log_in_time -- --test-threads 1
	scripts/with-services.sh cargo test $(CARGO_FLAGS) --workspace --no-fail-fast -- --skip log_in_time

.PHONY: openapi
openapi: ## Regenerate docs/openapi.json, the API's description
	cargo run $(CARGO_FLAGS) --quiet --package rekey-api --example openapi >docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json

.PHONY: storefront
storefront: setup ## Rebuild the demo storefront's bundle, with the vendor's clients
	cd examples/storefront && node build.js

.PHONY: blocklist
blocklist: ## Rebuild the list of common passwords (network: PyPI and npm)
	@scripts/blocklist.sh

# Each program has servers of its own, and PostgreSQL waits for its disk. Only here are the peers installed.
.PHONY: bench
bench: ## Measure the release build, next to the limits of its parts and next to Django and better-auth; writes docs/evidence
	@scripts/setup.sh wrk $(if $(filter peers,$(BENCH)),tests/e2e/benches/peers/django tests/e2e/benches/peers/better-auth)
	cargo build $(CARGO_FLAGS) --release --bins --package rekey-api --package rekey-cli --package rekey-mailer --package rekey-webhooks
	cargo bench $(CARGO_FLAGS) --package rekey-e2e --no-run $(BENCH:%=--bench %)
	for bench in $(BENCH); do \
		REKEY_EVIDENCE=docs/evidence POSTGRES_FSYNC=on scripts/with-services.sh cargo bench $(CARGO_FLAGS) --package rekey-e2e --bench $$bench; \
	done
	$(MAKE) evidence

.PHONY: chaos
chaos: setup ## Run the long form of the chaos suite: an hour, 100,000 resets and 500 faults; writes docs/evidence
	cargo build $(CARGO_FLAGS) --release --bins --package rekey-api --package rekey-cli --package rekey-mailer --package rekey-webhooks
	REKEY_CHAOS=long REKEY_EVIDENCE=docs/evidence cargo test $(CARGO_FLAGS) --release --package rekey-e2e --test chaos
	$(MAKE) evidence

.PHONY: evidence
evidence: ## Make docs/evidence.md from what `make bench`, `make chaos`, `make fuzz` and `make mutants` wrote to docs/evidence
	@/usr/bin/python3 -c "import matplotlib" 2>/dev/null || scripts/setup.sh python3-matplotlib
	scripts/evidence.py

.PHONY: fuzz
fuzz: ## Fuzz each parser for FUZZ_SECONDS (60), starting from tests/parsers/corpus; needs a C++ compiler; writes docs/evidence
	@CARGO_FLAGS="$(CARGO_FLAGS)" scripts/fuzz.sh
	$(MAKE) evidence

# A day on two processors; MUTANTS="--file 'crates/core/src/sessions*'" is one module, and --jobs 4 uses more processors.
.PHONY: mutants
mutants: ## Change rekey-core in one place at a time, and see that a test notices; writes docs/evidence
	@scripts/mutants.sh $(MUTANTS)
	$(MAKE) evidence

.PHONY: check
check: ## Run the quick loop: format, clippy and the tests that need no server
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	cargo test $(CARGO_FLAGS) --workspace --lib

.PHONY: lint
lint: fmt-check clippy deny shellcheck ## Check format, clippy, dependencies and shell scripts

.PHONY: fmt-check
fmt-check: ## Check that everything is formatted
	cargo fmt --all --check

.PHONY: clippy
clippy: ## Run clippy, where a warning is an error
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	cargo clippy $(CARGO_FLAGS) --workspace --test previous_version -- -D warnings

.PHONY: deny
deny: ## Check the dependencies, their licences and their sources
	scripts/cargo-deny.sh check bans licenses sources

.PHONY: shellcheck
shellcheck: setup ## Run shellcheck on the scripts, and check line ends in a clone
	shellcheck .ci/run scripts/*.sh deploy/*.sh deploy/kubernetes/*.sh deploy/postgres/*.sh
	scripts/line-ends.sh

.PHONY: audit
audit: ## Check the dependencies against the advisory database (network)
	scripts/cargo-deny.sh check $(AUDIT_FLAGS) advisories

.PHONY: deploy-check
deploy-check: setup ## Check what operators deploy: docker-compose.yml, the proxy, alerts and dashboards, Kubernetes
	@scripts/compose-check.sh
	@scripts/observability-check.sh
	@scripts/kubernetes-check.sh
