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
# Integration tests mostly wait, so there are more processes than cores; their conftest distributes them.
WAITING := --numprocesses=6

# $(call level,TITLE,FOLDERS): pytest prints its own time, so only the header is ours.
level = printf '\n==> %s\n' '$(1)' && $(BIN)/pytest $(2) $(ARGS)

##@ Setting up

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: install
install: $(VENV) ## Create .venv with all development dependencies

$(VENV):
	@$(STEP) 'development environment (.venv)' tools/venv.sh $@

.PHONY: lock
lock: $(VENV) ## Update the pinned dependencies (UPGRADE=1: upgrade to the newest allowed versions)
	@$(STEP) 'pins and hashes (requirements/)' tools/lock.sh

.PHONY: clean
clean: ## Remove build artifacts (.venv, caches, reports)
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find operator tests tools examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

##@ Writing code

.PHONY: fmt
fmt: $(VENV) ## Format the code and apply ruff's automatic fixes
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format .

.PHONY: generate
generate: $(VENV) ## Generate CRDs, install manifest, chart schema and reference docs from the code
	@$(BIN)/python -m tools.generate

##@ Checking

.PHONY: lint
lint: $(VENV) ## Check format, lint rules, types, import contracts and docstrings
	@$(STEP) 'format (ruff)' $(BIN)/ruff format --check .
	@$(STEP) 'lint (ruff)' $(BIN)/ruff check .
	@$(MAKE) typecheck
	@$(STEP) 'import contracts (import-linter)' $(BIN)/lint-imports
	@$(STEP) 'docstrings (interrogate)' $(BIN)/interrogate --quiet $(SOURCES) $(STUDIES)

.PHONY: typecheck
typecheck: $(VENV) ## Check types (mypy, strict)
	@$(STEP) 'types (mypy)' $(BIN)/mypy $(SOURCES)
	@for study in $(STUDIES); do $(STEP) "types (mypy), $$study" $(BIN)/mypy "$$study"; done

.PHONY: verify
verify: $(VENV) ## Check that generated files are up to date
	@$(STEP) 'generated files are fresh' $(BIN)/python -m tools.generate --verify

# `make test` goes on without the database, and says so; `make audit` alone fails.
.PHONY: audit
audit: $(VENV) ## Look up the locked packages in the database of known vulnerabilities (pip-audit)
	@$(STEP) 'known vulnerabilities (pip-audit)' $(BIN)/python -m tools.supply_chain.audit $(ARGS)

.PHONY: sbom
sbom: $(VENV) ## Write the bills of materials of the images and the package (CycloneDX) into build/sbom/
	@$(STEP) 'bills of materials (CycloneDX)' $(BIN)/python -m tools.supply_chain.sbom build/sbom

.PHONY: test
test: ## Run all checks and tests, the fast ones first
	@$(MAKE) lint
	@$(MAKE) verify
	@$(MAKE) audit ARGS=--allow-unreachable
	@$(MAKE) coverage
	@$(MAKE) test-repo
	@$(MAKE) test-statistics
	@$(MAKE) test-estimators
	@$(MAKE) test-runtime
	@$(MAKE) test-security
	@$(MAKE) test-integration
	@$(MAKE) test-e2e
	@$(MAKE) test-kind-short

.PHONY: test-full
test-full: ## Everything in `make test`, simulations and fuzzing at full length, clients of other projects
	@$(MAKE) test
	@$(MAKE) test-statistics ARGS="--full $(ARGS)"
	@$(MAKE) test-estimators ARGS="--full $(ARGS)"
	@$(MAKE) test-clients

.PHONY: test-peers
test-peers: ## Tests with other software: Docker, kind with two node versions, Podman
	@$(MAKE) test-kind

.PHONY: test-unit
test-unit: $(VENV) ## Unit tests, without subprocesses, network or cluster
	@$(call level,unit tests,$(PARALLEL) tests/unit)

.PHONY: coverage
coverage: $(VENV) ## Unit tests with coverage of the pure packages (at least 90 %)
	@mkdir -p build/coverage && rm -f build/coverage/data*
	@printf '\n==> unit tests with coverage\n' && $(BIN)/coverage run -m pytest $(PARALLEL) tests/unit $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(STEP) 'coverage of the pure packages' $(BIN)/coverage report

.PHONY: test-repo
test-repo: $(VENV) programs ## Tests of repository rules, manifests, chart and documents
	@$(call level,repository and document tests,$(PARALLEL) tests/repo tests/docs)

.PHONY: test-statistics
test-statistics: $(VENV) ## Statistical tests of the drift engine: simulations, real data, fuzzing
	@$(call level,statistics,$(PARALLEL) tests/statistics)

.PHONY: test-estimators
test-estimators: $(VENV) ## Tests of the estimators of scikit-learn: fitted, saved, loaded, with each parameter
	@$(call level,estimators,--numprocesses=auto tests/estimators)

.PHONY: test-runtime
test-runtime: $(VENV) ## Tests that start processes: trainer, serving pod, command line, tools
	@$(call level,runtime tests,$(PARALLEL) tests/runtime)

.PHONY: test-clients
test-clients: $(VENV) ## Tests of the serving pod with clients of other projects
	@$(call level,tests with other clients,$(PARALLEL) tests/clients)

.PHONY: test-integration
test-integration: $(VENV) programs ## Tests of the operator against a real API server without nodes
	@$(call level,integration tests,$(WAITING) tests/integration)

.PHONY: test-security
test-security: $(VENV) programs ## Attacks: hostile resources, pods and model files, each refused or contained
	@$(call level,attacks,--numprocesses=auto tests/security)

.PHONY: test-e2e
test-e2e: $(VENV) programs ## End-to-end tests on a cluster that runs pods
	@$(MAKE) images
	@$(call level,end-to-end tests,--numprocesses=2 --dist=loadfile tests/e2e)

# What a user types, then the end-to-end tests on the cluster that the demo left; the demo's own tests would run it again.
KIND_SESSION = $(MAKE) cluster-up images && KEEP=1 $(MAKE) demo && \
  $(BIN)/pytest tests/e2e tests/kind -m "not packages" --ignore=tests/e2e/test_demo.py --ignore=tests/kind/test_podman.py $(ARGS) && \
  $(MAKE) cluster-down && $(BIN)/pytest tests/kind/after_cluster_down.py

.PHONY: test-kind
test-kind: $(VENV) programs ## Tests with kind in a dedicated Docker engine: cluster, images, demo, end-to-end tests
	@$(BIN)/python -m tests.kind -- bash -euo pipefail -c '$(KIND_SESSION)'
	@$(BIN)/python -m tests.kind --kubernetes 1.37.0 -- $(BIN)/pytest tests/e2e/test_cluster.py
	@$(call level,Podman,tests/kind/test_podman.py)

.PHONY: test-kind-short
test-kind-short: $(VENV) programs ## Short version of test-kind: images, a kind cluster, one training run
	@$(BIN)/python -m tests.kind --optional -- $(BIN)/pytest tests/e2e/test_cluster.py tests/e2e/test_audit.py $(ARGS)

##@ Measuring

.PHONY: bench
bench: $(VENV) ## Benchmark serving against plain BentoML and MLServer; fails if a bound is missed
	@$(BIN)/python -m benchmarks.serving --results benchmarks/RESULTS.md $(ARGS)

.PHONY: bench-scraping
bench-scraping: $(VENV) ## Benchmark scrapes of an honest target beside hostile ones; fails if a bound is missed
	@$(BIN)/python -m benchmarks.scraping --results benchmarks/RESULTS.md $(ARGS)

.PHONY: bench-drift
bench-drift: $(VENV) ## Benchmark the drift engine against other tools; fails if a bound is missed
	@$(BIN)/python -m benchmarks.drift --results benchmarks/RESULTS.md $(ARGS)

##@ Trying it out

.PHONY: demo
demo: $(VENV) ## Run the whole loop on real weather data (KEEP=1 keeps the cluster)
	@$(BIN)/python -m tools.demo

# A step of its own: pytest keeps what its tests print to itself, and the first compilation takes minutes.
.PHONY: programs
programs: ## Compile and download the programs of the local cluster
	@$(STEP) 'programs of the local cluster' python3 -m tools.cluster programs

.PHONY: cluster-up
cluster-up: ## Start a local cluster (PROVIDER=kind|packages; default: kind if a Docker engine answers)
	@python3 -m tools.cluster up

.PHONY: cluster-down
cluster-down: ## Remove the local cluster and all its resources
	@python3 -m tools.cluster down

.PHONY: images
images: ## Build the operator, trainer and serving images; load them into a running cluster
	@python3 -m tools.cluster images
