"""Times the execution core beside stock py-evm and anvil: `python -m bench.evm_report`.

Loops run as one message each; anvil (revm) is asked through eth_call, whose own time is measured
with an empty program and taken off. Then blocks of plain and of ERC-20 transfers are imported:
decoded, senders recovered, executed, receipts, all roots, written to disk and synced. It ends in
one JSON line with every figure and ratio, also written to `bench/results/evm-<date>.json`.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from bench.anvil_peer import Anvil  # noqa: E402
from bench.evm_programs import CALLEE, CALLEE_CODE, PROGRAMS  # noqa: E402
from bench.pyevm_peer import StockPyEvm  # noqa: E402
from bench.transfer_chain import TransferChain  # noqa: E402
from cvm.evm.forks import OSAKA  # noqa: E402
from cvm.evm.keccak import keccak256  # noqa: E402
from cvm.evm.message_rules import Additions  # noqa: E402
from cvm.evm.messages import BlockEnvironment, Message, TransactionEnvironment  # noqa: E402
from cvm.evm.native.machine_memory import MachineMemory  # noqa: E402
from cvm.evm.native_interpreter import NativeInterpreter  # noqa: E402
from cvm.evm.precompiles.table import precompiles  # noqa: E402
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account  # noqa: E402
from cvm.evm.transaction_execution import TransactionExecution  # noqa: E402
from cvm.evm.world_state import WorldState  # noqa: E402
from node.collector import spare_collector  # noqa: E402

RESULTS = Path(__file__).parent / "results"
SENDER, CONTRACT = b"\x01" * 20, b"\xaa" * 20
GAS = 10**9
ROUNDS = 5
STATE_SIZES = (1_000, 10_000, 100_000, 1_000_000)
Report = dict[str, Any]


class Codes:
    """A state of contracts and nothing else."""

    def __init__(self, codes: dict[bytes, bytes]) -> None:
        self._codes = {keccak256(code): code for code in codes.values()}
        self._accounts = {
            address: Account(1, 0, EMPTY_TRIE_ROOT, keccak256(code))
            for address, code in codes.items()
        }

    def account(self, address: bytes) -> Account | None:
        return self._accounts.get(address)

    def storage(self, address: bytes, slot: int) -> int:  # noqa: ARG002  (all is empty)
        return 0

    def code(self, code_hash: bytes) -> bytes:
        return self._codes[code_hash]


def main(arguments: list[str]) -> int:
    """Measure, print, write the report and return the exit status."""
    spare_collector()
    folder = Path(arguments[0]) if arguments else RESULTS
    report: Report = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "loops": {}, "imports": []}
    anvil = Anvil.start() if shutil.which("anvil") else None
    stock = StockPyEvm()
    try:
        for name, code in PROGRAMS.items():
            report["loops"][name] = entry = loop_entry(code, anvil, stock)
            print(f"{name:16}", json.dumps(entry), flush=True)
    finally:
        if anvil is not None:
            anvil.close()
    for kind in ("plain", "erc20"):
        for accounts in STATE_SIZES:
            report["imports"].append(entry := import_entry(kind, accounts))
            print(json.dumps(entry), flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report)
    (folder / f"evm-{report['date']}.json").write_text(text + "\n")
    print(text)
    return 0


def loop_entry(code: bytes, anvil: Anvil | None, stock: StockPyEvm) -> Report:
    """Return the speed of one program on each EVM in Mgas/s, and the ratio to anvil."""
    gas = 0

    def ours() -> None:
        nonlocal gas
        gas = run_once(code)

    runs: dict[str, Callable[[], float]] = {"cvm": lambda: seconds_of(ours)}
    if anvil is not None:
        anvil.deploy(CONTRACT, code)
        anvil.deploy(CALLEE, CALLEE_CODE)
        runs["anvil"] = lambda: anvil.call_seconds(CONTRACT)
    ours()
    least = {name: min(run() for _ in range(ROUNDS)) for name, run in runs.items()}
    least["py-evm"] = stock.seconds_for({CONTRACT: code, CALLEE: CALLEE_CODE}, CONTRACT)
    entry: Report = {f"{name} Mgas/s": round(gas / s / 1e6, 1) for name, s in least.items()}
    if anvil is not None:
        entry["ratio to anvil"] = round(least["anvil"] / least["cvm"], 3)
    return entry


def seconds_of(run: Callable[[], None]) -> float:
    """Return how long a run takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def run_once(code: bytes) -> int:
    """Run a program in a fresh world and return the gas that it used."""
    reader = Codes({CONTRACT: code, CALLEE: CALLEE_CODE})
    world = WorldState(reader, MachineMemory(), OSAKA, lambda _number: bytes(32))
    block = BlockEnvironment(1, 1, 1, bytes(20), GAS, 0, bytes(32))
    run = TransactionExecution(world, block, precompiles(OSAKA), Additions(), NativeInterpreter)
    world.begin_transaction()
    message = Message(SENDER, CONTRACT, CONTRACT, 0, GAS, b"")
    outcome = run.execute(message, TransactionEnvironment(SENDER, 0))
    if not outcome.is_success:
        raise RuntimeError(f"the program failed: {outcome.error}")
    return GAS - outcome.gas_left


def import_entry(kind: str, accounts: int) -> Report:
    """Return how fast blocks of transfers are imported into a state of so many accounts."""
    with tempfile.TemporaryDirectory() as folder:
        chain = TransferChain(Path(folder), kind, accounts)
        try:
            return {"transfers": kind, "accounts": accounts, **chain.measure()}
        finally:
            chain.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
