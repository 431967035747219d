# Everything a contributor or CI runs. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# pytest keeps the test files as it has rewritten them; to rewrite all of them takes every worker 10 s.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help
help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

.PHONY: rehearse
rehearse: $(VENV)/rehearsal ## Run the whole pipeline on this machine, approval included (EXAMPLE=tabular_retrain: with drift and retraining)
ifdef EXAMPLE
	PATH=$(abspath $(BIN)):$$PATH $(MAKE) --directory=examples/$(EXAMPLE) rehearse
else
	$(BIN)/mlops rehearse --approve
endif

.PHONY: test
test: $(VENV)/test ## Run every test, the tiers at once (one tier: TIER=fast, servers or terraform)
ifdef TIER
	$(BIN)/python -m pytest --tier $(TIER)
else
	$(BIN)/python tests/run_tiers.py
endif

.PHONY: test-fast
test-fast: $(VENV)/test ## Run the tests that need neither Terraform nor servers
	$(BIN)/python -m pytest --tier fast --numprocesses=2

.PHONY: test-workshop
test-workshop: $(VENV)/test ## Rehearse the container of AWS's MLOps workshop (needs Java; installs multi-model-server, 370 MB)
	MLOPS_TEST_WORKSHOP=1 $(BIN)/python -m pytest --numprocesses=0 tests/rehearsal/test_workshop_container.py

.PHONY: lint
lint: $(VENV)/lint ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: check
check: lint test ## What CI runs, and style and types

.PHONY: bench
bench: $(VENV)/bench ## Measure synth, growth, import and bundles (BENCH="--rounds 3 --only warm,cold"; docs/benchmarks.md)
	PYTHONPATH=benchmarks $(BIN)/python -m synth_benchmark $(BENCH)

.PHONY: bench-serving
bench-serving: $(VENV)/pip ## Compare the container with the usual ways to serve (needs wrk and Java; BENCH="--rounds 5")
	PYTHONPATH=benchmarks $(BIN)/python -m serving_benchmark $(BENCH)

.PHONY: bench-ab
bench-ab: $(VENV)/bench ## Simulate A/B tests: false verdicts, power, intervals, beside the usual ways (BENCH="--runs 500")
	PYTHONPATH=benchmarks:lambdas $(BIN)/python -m ab_benchmark $(BENCH)

.PHONY: bench-drift
bench-drift: $(VENV)/bench ## Simulate traffic with and without drift: false alarms, records until it is found, time (BENCH="--runs 100")
	PYTHONPATH=benchmarks:lambdas $(BIN)/python -m drift_benchmark $(BENCH)

.PHONY: fuzz
fuzz: $(VENV)/test ## Send a server of the container requests that nobody would send, for minutes (FUZZ="--minutes 10")
	PYTHONPATH=tests $(BIN)/python -m container_fuzz $(FUZZ)

.PHONY: soak-serving
soak-serving: $(VENV)/test ## Abuse a server of the container in every way, then mixed requests for minutes (SOAK="--minutes 10 --only deaf")
	PYTHONPATH=tests $(BIN)/python -m container_soak $(SOAK)

.PHONY: soak
soak: $(VENV)/test ## Run random A/B tests, then random releases with faults, 500 of each (ONLY=ab or releases; SOAK="--runs 20 --seed 7")
ifneq ($(ONLY),releases)
	PYTHONPATH=tests:lambdas $(BIN)/python -m ab_soak $(SOAK)
endif
ifneq ($(ONLY),ab)
	PYTHONPATH=tests:lambdas $(BIN)/python -m release_soak $(SOAK)
endif

.PHONY: soak-faults
soak-faults: $(VENV)/test ## Release with every call of every function refused, lost and followed by a kill (SOAK="MLOPS_SWEEP_PART=1/2 MLOPS_SWEEP_SEED=7")
	env MLOPS_SWEEP_CASES=100000 $(SOAK) $(BIN)/python -m pytest --numprocesses=0 --capture=no \
		tests/rehearsal/test_faults.py::test_05_08_a_sample_of_the_sweep_loses_nothing_and_does_nothing_twice

.PHONY: soak-kills
soak-kills: $(VENV)/test ## Kill a rehearsal at every step, at random moments: nothing outlives it (SOAK="MLOPS_KILLS=26 MLOPS_KILLS_SEED=7")
	env MLOPS_KILLS=13 $(SOAK) $(BIN)/python -m pytest --numprocesses=0 --capture=no tests/rehearsal/test_kills.py

.PHONY: soak-apply
soak-apply: $(VENV)/test ## Kill terraform apply and destroy at random moments, adopt and apply again (SOAK="MLOPS_APPLY_KILLS=9 MLOPS_APPLY_SEED=7")
	env MLOPS_APPLY_KILLS=6 $(SOAK) $(BIN)/python -m pytest --numprocesses=0 --capture=no \
		tests/rehearsal/test_killed_apply.py

.PHONY: soak-changes
soak-changes: $(VENV)/test ## Plan a change of each option and write docs/changes.json; apply a sample (SOAK="--apply 30 --seed 7")
	PYTHONPATH=tests $(BIN)/python -m option_changes $(SOAK)

.PHONY: bench-data
bench-data: $(VENV)/rehearsal ## Measure a rehearsal around the algorithm for data sets of 13 MB to 1 GB (BENCH="--megabytes 13")
	PYTHONPATH=benchmarks $(BIN)/python -m data_benchmark $(BENCH)

.PHONY: mutate-iam
mutate-iam: $(VENV)/test ## Change every policy in one thing at a time: something must notice (PROGRAMS="main company")
	PYTHONPATH=tests $(BIN)/python -m iam_mutation.mutate $(PROGRAMS)

.PHONY: record-iam
record-iam: $(VENV)/test ## Record what the roles ask for in the rehearsals of the tests, for mutate-iam
	PYTHONPATH=tests $(BIN)/python -m pytest -p iam_mutation.recording --numprocesses=0 tests/rehearsal

.PHONY: docs
docs: $(VENV)/rehearsal ## Write the generated parts of docs: configuration, schema, security, faults
	$(BIN)/python docs/generate_configuration.py
	$(BIN)/python docs/generate_schema.py
	$(BIN)/python docs/generate_security.py
	$(BIN)/python docs/generate_faults.py
	$(BIN)/python docs/generate_reliability.py
	$(BIN)/python docs/generate_changes.py

.PHONY: messages
messages: $(VENV)/test ## Show the messages that are new, changed or gone, and approve them (MESSAGES=--yes: without a question)
	PYTHONPATH=tests $(BIN)/python -m messages $(MESSAGES)

.PHONY: synth
synth: $(VENV)/rehearsal ## Write cdktf.out/
	$(BIN)/python main.py

.PHONY: clean
clean: ## Remove what the targets made
	rm -rf $(VENV) cdktf.out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

# --group needs pip 25.1.
$(VENV)/pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/rehearsal: $(VENV)/pip pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[rehearsal]'
	@touch $@

$(VENV)/bench: $(VENV)/rehearsal
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

$(VENV)/test: $(VENV)/rehearsal container/requirements.txt
	$(BIN)/python -m pip install --quiet --group test --requirement container/requirements.txt
	@# Only its registry of built-in algorithms is read; what it depends on is heavy.
	$(BIN)/python -m pip install --quiet --no-deps sagemaker-core==2.27.0
	@touch $@

$(VENV)/lint: $(VENV)/test
	$(BIN)/python -m pip install --quiet --group lint
	@touch $@
