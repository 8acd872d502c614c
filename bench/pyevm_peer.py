"""Stock py-evm, Prague rules, asked for the time of one call."""

import time
from typing import Any

from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.prague import PragueVM
from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext

GAS = 10**9
SENDER = b"\x01" * 20
BLANK_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")


class StockPyEvm:
    """A py-evm as its package has it."""

    def seconds_for(self, codes: dict[bytes, bytes], target: bytes) -> float:
        """Return how long a call of `target` takes in a fresh state with some code."""
        context: Any = ExecutionContext(
            coinbase=bytes(20),  # type: ignore[arg-type]
            timestamp=1,
            block_number=1,  # type: ignore[arg-type]
            difficulty=0,
            mix_hash=bytes(32),  # type: ignore[arg-type]
            gas_limit=GAS,
            prev_hashes=iter(()),
            chain_id=1,
            base_fee_per_gas=0,
            excess_blob_gas=0,
        )
        state: Any = PragueVM.get_state_class()(AtomicDB(), context, BLANK_ROOT)  # type: ignore[arg-type]
        for address, code in codes.items():
            state.set_code(address, code)
            state.mark_address_warm(address)
        message: Any = Message(
            gas=GAS,
            to=target,
            sender=SENDER,
            value=0,
            data=b"",  # type: ignore[arg-type]
            code=codes[target],
        )
        transaction: Any = BaseTransactionContext(gas_price=0, origin=SENDER)  # type: ignore[arg-type]
        start = time.perf_counter()
        computation = state.computation_class.apply_message(state, message, transaction)
        seconds = time.perf_counter() - start
        if computation.is_error:
            raise RuntimeError(f"py-evm: {computation.error}")
        return seconds
