"""Compiles what a node runs first into the disk cache: `python -m node.warm_kernels`.

`make install` runs it. A node of a new installation runs `warm_execution` before it serves, so that
the first block or call does not wait for a compiler; where the kernels are on disk, it serves at
once and loads them beside it. Kernels of inference are compiled when a model is planned.
"""

import os
from pathlib import Path

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

# The cache folder must be named before a module with kernels is imported.
from cvm.evm.execution import BlockContext, BlockExecution, ExecutionRules  # noqa: E402
from cvm.evm.forks import OSAKA  # noqa: E402
from cvm.evm.message_rules import Additions, Interpreter  # noqa: E402
from cvm.evm.native_interpreter import NativeInterpreter  # noqa: E402
from cvm.evm.plain_interpreter import PlainInterpreter  # noqa: E402
from cvm.evm.precompiles.table import precompiles  # noqa: E402
from cvm.evm.rlp_encoding import encode_bytes  # noqa: E402
from cvm.evm.state_reader import Account  # noqa: E402
from cvm.evm.transaction import Transaction  # noqa: E402
from cvm.evm.transaction_list import decode_transaction_list  # noqa: E402
from cvm.evm.transaction_signing import UnsignedTransaction  # noqa: E402
from cvm.evm.transfer_run import FEWEST  # noqa: E402
from node.sender_recovery import SenderRecovery  # noqa: E402

MARK = "execution-core"
"""A file in the cache folder that says that the folder has all of it; the folder is named by all
that could change a kernel."""

CHAIN_ID = 1
GAS = 10_000_000
TEST_KEY = (1).to_bytes(32, "big")  # known to everybody; it signs nothing that is sent
CALLER = b"\x01" * 20
KERNEL_INPUTS = {0x06: bytes(128), 0x07: bytes(96), 0x08: bytes(192), 0x09: bytes(212) + b"\1"}
"""Inputs that make the precompiles with kernels of their own run."""


class EmptyState:
    """A state without accounts."""

    def account(self, address: bytes) -> Account | None:  # noqa: ARG002  (there is none)
        """Return None."""
        return None

    def storage(self, address: bytes, slot: int) -> int:  # noqa: ARG002  (all is empty)
        """Return 0."""
        return 0

    def code(self, code_hash: bytes) -> bytes:
        """Raise: no account has code."""
        raise KeyError(code_hash.hex())


def main() -> None:
    """Run each kind of work once."""
    warm_execution()
    warm_tracing()
    for number, data in KERNEL_INPUTS.items():
        precompiles(OSAKA)[number.to_bytes(20, "big")].run(data)


def is_compiled() -> bool:
    """Tell whether an earlier process left the execution core on disk."""
    return mark_file().exists()


def mark_file() -> Path:
    """Return the file that stands for a complete folder."""
    return Path(os.environ["NUMBA_CACHE_DIR"], MARK)


def warm_execution() -> None:
    """Compile the execution core, or load it, by running a block; marks it as compiled."""
    run_block()
    mark_file().touch()


def warm_tracing() -> None:
    """Compile or load what only the plain interpreter calls, which traces run on."""
    run_block(PlainInterpreter)


def run_block(interpreter: type[Interpreter] = NativeInterpreter) -> None:
    """Decode, recover and run a block: code, and transfers in a row."""
    context = BlockContext(
        chain_id=CHAIN_ID,
        number=1,
        timestamp=1,
        coinbase=bytes(20),
        gas_limit=GAS,
        base_fee=0,
        prev_randao=bytes(32),
        parent_hash=bytes(32),
        parent_beacon_block_root=bytes(32),
    )
    rules = ExecutionRules(OSAKA, Additions(), interpreter=interpreter)
    execution = BlockExecution(rules, EmptyState(), context, lambda _number: bytes(32))
    execution.apply(signed(b"", bytes.fromhex("5f5f5260015f555f545000")))
    transfers = [signed(CALLER, b"", nonce) for nonce in range(1, 1 + FEWEST)]
    block = decode_transaction_list(b"".join([encode_bytes(tx.raw) for tx in transfers]))
    recovery = SenderRecovery(1)
    recovery.recover(block)
    recovery.close()
    execution.apply_transfers(block, 0)
    execution.finish()


def signed(to: bytes, data: bytes, nonce: int = 0) -> Transaction:
    """Return a transaction that costs nothing."""
    return UnsignedTransaction(
        type_id=2,
        chain_id=CHAIN_ID,
        nonce=nonce,
        max_priority_fee_per_gas=0,
        max_fee_per_gas=0,
        gas=1_000_000,
        to=to,
        value=0,
        data=data,
    ).sign(TEST_KEY)


if __name__ == "__main__":
    main()
