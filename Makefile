# `make help` lists the targets. Everything runs from .venv, which make builds from the hash-locked files in requirements/.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory --warn-undefined-variables
.SUFFIXES:

LOCKED  := $(wildcard requirements/*.txt)
VENV    := .venv/.installed-$(shell cat $(LOCKED) pyproject.toml | cksum | cut -d' ' -f1)
BIN     := .venv/bin
STEP    := tools/step.sh
SOURCES := operator/perennate tests tools $(wildcard benchmarks)
STUDIES := $(wildcard examples/*/)
# Passed on to pytest, for example: make test-unit ARGS="-k drift -x"
ARGS    ?=
export UPGRADE ?=
# Which local cluster: kind, packages, or what this machine leads to.
export PROVIDER ?=
# A process for each core; tests of one file share what they set up, so they stay together.
PARALLEL := --numprocesses=auto --dist=loadfile

# $(call level,TITLE,FOLDERS): pytest prints its own time, so only the header is ours.
level = printf '\n==> %s\n' '$(1)' && $(BIN)/pytest $(2) $(ARGS)

##@ Setting up

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: install
install: $(VENV) ## Make .venv with everything that development needs

$(VENV):
	@$(STEP) 'development environment (.venv)' tools/venv.sh $@

.PHONY: lock
lock: $(VENV) ## Pin the dependencies again (UPGRADE=1: take the newest allowed)
	@$(STEP) 'pins and hashes (requirements/)' tools/lock.sh

.PHONY: clean
clean: ## Remove what was built here (.venv, caches, reports)
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find operator tests tools examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

##@ Writing code

.PHONY: fmt
fmt: $(VENV) ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format .

.PHONY: generate
generate: $(VENV) ## Write the CRDs, the install manifest, the chart's schema and the reference from the code
	@$(BIN)/python -m tools.generate

##@ Checking

.PHONY: lint
lint: $(VENV) ## Format, lint, types, import contracts, docstrings
	@$(STEP) 'format (ruff)' $(BIN)/ruff format --check .
	@$(STEP) 'lint (ruff)' $(BIN)/ruff check .
	@$(MAKE) typecheck
	@$(STEP) 'import contracts (import-linter)' $(BIN)/lint-imports
	@$(STEP) 'docstrings (interrogate)' $(BIN)/interrogate --quiet $(SOURCES) $(STUDIES)

.PHONY: typecheck
typecheck: $(VENV) ## Types alone (mypy, strict)
	@$(STEP) 'types (mypy)' $(BIN)/mypy $(SOURCES)
	@for study in $(STUDIES); do $(STEP) "types (mypy), $$study" $(BIN)/mypy "$$study"; done

.PHONY: verify
verify: $(VENV) ## Generate into a copy and compare: fails when a generated file is not fresh
	@$(STEP) 'generated files are fresh' $(BIN)/python -m tools.generate --verify

.PHONY: test
test: ## Everything, cheap to dear: lint, verify, all levels of tests
	@$(MAKE) lint
	@$(MAKE) verify
	@$(MAKE) coverage
	@$(MAKE) test-repo
	@$(MAKE) test-statistics
	@$(MAKE) test-runtime
	@$(MAKE) test-integration
	@$(MAKE) test-e2e
	@$(MAKE) test-kind-short

.PHONY: test-unit
test-unit: $(VENV) ## Unit tests: no process, no network, no cluster
	@$(call level,unit tests,$(PARALLEL) tests/unit)

.PHONY: coverage
coverage: $(VENV) ## Unit tests, and how much of the pure packages they cover (at least 90 %)
	@mkdir -p build/coverage && rm -f build/coverage/data*
	@printf '\n==> unit tests with coverage\n' && $(BIN)/coverage run -m pytest $(PARALLEL) tests/unit $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(STEP) 'coverage of the pure packages' $(BIN)/coverage report

.PHONY: test-repo
test-repo: $(VENV) programs ## The repository's own rules, manifests, chart and documents
	@$(call level,repository and document tests,tests/repo tests/docs)

.PHONY: test-statistics
test-statistics: $(VENV) ## The drift engine on simulations, real data and random bytes
	@$(call level,statistics,$(PARALLEL) tests/statistics)

.PHONY: test-runtime
test-runtime: $(VENV) ## The trainer and the serving pod as processes
	@$(call level,runtime tests,tests/runtime)

.PHONY: test-integration
test-integration: $(VENV) programs ## The operator against a real API server without nodes
	@$(call level,integration tests,tests/integration)

.PHONY: test-e2e
test-e2e: $(VENV) programs ## The loop on a cluster that runs pods
	@$(MAKE) images
	@$(call level,end-to-end tests,tests/e2e)

# What a user types, then the end-to-end tests on the cluster that the demo left; the demo's own tests would run it again.
KIND_SESSION = $(MAKE) cluster-up images && KEEP=1 $(MAKE) demo && \
  $(BIN)/pytest tests/e2e tests/kind -m "not packages" --ignore=tests/e2e/test_demo.py --ignore=tests/kind/test_podman.py $(ARGS) && \
  $(MAKE) cluster-down && $(BIN)/pytest tests/kind/after_cluster_down.py

.PHONY: test-kind
test-kind: $(VENV) programs ## kind with a Docker engine of the tests' own: cluster, images, demo, end-to-end tests
	@$(BIN)/python -m tests.kind -- bash -euo pipefail -c '$(KIND_SESSION)'
	@$(BIN)/python -m tests.kind --kubernetes 1.37.0 -- $(BIN)/pytest tests/e2e/test_cluster.py
	@$(call level,Podman,tests/kind/test_podman.py)

.PHONY: test-kind-short
test-kind-short: $(VENV) programs ## Part of the same: images by Docker, a kind cluster, one training run
	@$(BIN)/python -m tests.kind --optional -- $(BIN)/pytest tests/e2e/test_cluster.py tests/e2e/test_audit.py $(ARGS)

##@ Measuring

.PHONY: bench
bench: $(VENV) ## The serving process against plain BentoML, side by side; fails if a bound is missed
	@$(BIN)/python -m benchmarks.serving --results benchmarks/RESULTS.md $(ARGS)

.PHONY: bench-drift
bench-drift: $(VENV) ## The drift engine against other tools, side by side; fails if a bound is missed
	@$(BIN)/python -m benchmarks.drift --results benchmarks/RESULTS.md $(ARGS)

##@ Trying it out

.PHONY: demo
demo: $(VENV) ## The whole loop on real weather data, from nothing (KEEP=1 leaves the cluster up)
	@$(BIN)/python -m tools.demo

# A step of its own: pytest keeps what its tests print to itself, and the first compilation takes minutes.
.PHONY: programs
programs: ## Compile and fetch what the local cluster is made of, without starting it
	@$(STEP) 'programs of the local cluster' python3 -m tools.cluster programs

.PHONY: cluster-up
cluster-up: ## Start a local Kubernetes (PROVIDER=kind|packages; else kind where a Docker engine answers)
	@python3 -m tools.cluster up

.PHONY: cluster-down
cluster-down: ## Stop it and leave nothing behind
	@python3 -m tools.cluster down

.PHONY: images
images: ## Build the operator, trainer and serving images; load them into a cluster that is up
	@python3 -m tools.cluster images
