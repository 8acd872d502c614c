# cvm: the chain on which contracts run neural networks. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help install demo fix check types layers test test-all fuzz fuzz-evm bench clean

help:               ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 16

install: $(STAMP)   ## make .venv and install everything into it

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else f"cvm needs Python 3.11 to 3.13; {sys.executable} is {sys.version.split()[0]}. Set PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV)"
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[dev]'
	touch $(STAMP)

demo: install       ## a chain, a registered model, a contract that calls it, a second node that agrees
	$(BIN)/cvm demo

fix: install        ## format and repair what can be repaired
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: types layers ## everything that reads code without running it
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install
	$(BIN)/mypy

layers: install
	$(BIN)/lint-imports

test: install       ## the tests that a laptop runs in minutes
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile

test-all: install   ## the long suites too
	$(BIN)/pytest -n 2 --dist loadfile

fuzz: install       ## N random nodes on the definition and every feature level (N=100000 SEED=0)
	$(BIN)/python -m tests.inference_fuzzer --nodes $(or $(N),100000) --seed $(or $(SEED),0)

fuzz-evm: install   ## N random blocks on two execution cores (N=10000 SEED=0 PEER=native, eels or anvil)
	$(BIN)/python -m tests.evm_fuzzer --cases $(or $(N),10000) --seed $(or $(SEED),0) --peer $(or $(PEER),native)

bench: install      ## timings (pytest-benchmark)
	$(BIN)/pytest bench --benchmark-only

bench-infer: install ## time inference beside onnxruntime; ends in one JSON line
	$(BIN)/python -m bench.infer_report

clean:              ## remove what make install and the tests made
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .cache
