# Every target sets up what it needs: python3 (3.11 to 3.13), pip and make are enough.
PYTHON ?= python3
JSON ?=
VENV := .venv
UV := $(VENV)/tools/bin/uv
RUN := $(VENV)/bin
MEMBERS := protos runtime clinical sdk edge services/eventstore services/ingest services/projections services/identity services/policy services/emr cli
UV_VERSION := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.lock)
export UV_CACHE_DIR ?= $(HOME)/.cache/uv

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint protos protos-release lock bench bench-log bench-ingest bench-projections bench-reads bench-policy bench-emr bench-edge train-edge faults fuzz up clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1m%-18s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV): requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit("RehabTrack needs Python 3.11 to 3.13, this is %d.%d: make PYTHON=python3.12 …" % v)'
	@echo "Setting up $(VENV) (once)"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --target $(VENV)/tools --upgrade uv==$(UV_VERSION)
	@touch $@

$(VENV)/.installed: requirements.lock edge/tflite.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml) | $(UV)
	@test -x $(RUN)/python || $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@$(UV) pip install --quiet --python $(RUN)/python --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(RUN)/python --no-deps --no-build-isolation $(MEMBERS:%=-e ./%)
	@$(UV) pip install --quiet --python $(RUN)/python --target $(VENV)/tflite --require-hashes -r edge/tflite.lock
	@touch $@

setup: $(VENV)/.installed ## Make .venv with everything in it, the rehab command included

demo: setup ## A running clinic with numbers moving; Ctrl-C ends it
	@$(RUN)/rehab demo

up: setup ## The whole suite on this machine, empty
	@$(RUN)/rehab up

test: setup ## All tests, on real PostgreSQL, NATS and Valkey
	@$(RUN)/python -m pytest -n 2 --dist loadscope

lint: setup ## Style, types, contract
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy protos/rehab/events/v1/kinds.py protos/rehab/events/v1/tellers.py runtime/rehab_runtime clinical/rehab_clinical sdk/rehab_sdk edge/rehab_edge services/*/rehab_* cli/rehab_cli bench
	@$(RUN)/python protos/check.py

protos: setup ## Generate the Python beside the protos, in the form the newest and the oldest supported protobuf import
	@$(RUN)/python protos/build.py

protos-release: setup ## Take the contract as it is for the one that later changes are compared with
	@$(RUN)/python protos/check.py --release

lock: setup ## Choose newest versions and write requirements.lock and protos/generator.lock
	@$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate --upgrade \
	  $(foreach member,$(MEMBERS),--no-emit-package rehab-$(notdir $(member))) --group dev pyproject.toml -o requirements.lock
	@printf 'grpcio-tools==1.74.0\nsetuptools<81\n' | $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate - -o protos/generator.lock
	@printf "tflite-runtime==2.14.0; python_version < '3.12'\nnumpy<2; python_version < '3.12'\n" | $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate - -o edge/tflite.lock

bench: setup ## Measure, beside a baseline of the same run (JSON=path writes the figures)
	@$(RUN)/python -m bench $(if $(JSON),--json $(JSON))

bench-log: setup ## The log beside PostgreSQL, gRPC and other event stores (JSON=path, RUNS, SECONDS, ROWS)
	@$(RUN)/python -m bench.log $(if $(JSON),--json $(JSON))

bench-ingest: setup ## The front door with everything behind it (JSON=path, RUNS, SECONDS, DEVICES)
	@$(RUN)/python -m bench.ingest $(if $(JSON),--json $(JSON))

bench-projections: setup ## Lag and rebuild of the read models (JSON=path, RUNS, SECONDS, EVENTS)
	@$(RUN)/python -m bench.projections $(if $(JSON),--json $(JSON))

bench-reads: setup ## What a read costs, kept in Valkey and made anew (JSON=path, RUNS, CALLS, EVENTS)
	@$(RUN)/python -m bench.reads $(if $(JSON),--json $(JSON))

bench-policy: setup ## What rules cost an event, the shipped book over a year, and how soon a cue is heard (JSON=path, RUNS, EVENTS, PATIENTS, DAYS, PACED)
	@$(RUN)/python -m bench.policy $(if $(JSON),--json $(JSON))

bench-edge: setup ## The device's scorers on both runtimes: speed, and accuracy on unseen people (JSON=path, DATA, CALLS)
	@$(RUN)/python -m bench.edge $(if $(JSON),--json $(JSON))

train-edge: $(VENV)/.training ## Train the device's networks anew (DATA=folder; a quarter of an hour of one core)
	@cd edge && PYTHONPATH=. nice -n 10 ../$(VENV)/training/bin/python -m training $(abspath $(or $(DATA),../shared/data/uiprmd))

$(VENV)/.training: edge/pyproject.toml | $(UV)
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)/training
	@$(UV) pip install --quiet --python $(VENV)/training/bin/python ./protos ./sdk ./edge[training]
	@touch $@

bench-emr: setup ## What a FHIR resource costs until it is text, and until it has arrived (JSON=path, RUNS, PATIENTS, DAYS, RESOURCES)
	@$(RUN)/python -m bench.emr $(if $(JSON),--json $(JSON))

faults: setup ## Kill real processes under load and count what was lost
	@FAULT_ROUNDS=$${FAULT_ROUNDS:-20} FAULT_POINTS=$${FAULT_POINTS:-200} \
	  FAULT_SECONDS=$${FAULT_SECONDS:-60} FAULT_ROLLS=$${FAULT_ROLLS:-3} $(RUN)/python -m pytest tests/faults -n 0 -p no:cacheprovider

fuzz: setup ## Throw malformed inputs at the front door (FUZZ_INPUTS, FUZZ_RECONNECTS, FUZZ_SEED, FUZZ_SECONDS, FUZZ_ONLY, FUZZ_FROM)
	@$(RUN)/python -m tests.fuzz --inputs $(or $(FUZZ_INPUTS),100000) --seconds $(or $(FUZZ_SECONDS),1800) \
	  $(if $(FUZZ_RECONNECTS),--reconnects $(FUZZ_RECONNECTS)) \
	  $(if $(FUZZ_SEED),--seed $(FUZZ_SEED)) $(if $(FUZZ_FROM),--first $(FUZZ_FROM)) $(if $(FUZZ_ONLY),--only $(FUZZ_ONLY))

clean: ## Remove what make made
	@rm -rf $(VENV) .venv-protos .venv-bench .rehab .pytest_cache .mypy_cache .ruff_cache .hypothesis
