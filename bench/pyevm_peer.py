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
        typed: Any = ExecutionContext  # py-evm's own types are not worth a cast each
        context = typed(
            coinbase=bytes(20),
            timestamp=1,
            block_number=1,
            difficulty=0,
            mix_hash=bytes(32),
            gas_limit=GAS,
            prev_hashes=iter(()),
            chain_id=1,
            base_fee_per_gas=0,
            excess_blob_gas=0,
        )
        state_class: Any = PragueVM.get_state_class()  # the same
        state = state_class(AtomicDB(), context, BLANK_ROOT)
        for address, code in codes.items():
            state.set_code(address, code)
            state.mark_address_warm(address)
        make_message: Any = Message  # the same
        message = make_message(
            gas=GAS, to=target, sender=SENDER, value=0, data=b"", code=codes[target]
        )
        make_context: Any = BaseTransactionContext  # the same
        transaction = make_context(gas_price=0, origin=SENDER)
        start = time.perf_counter()
        computation = state.computation_class.apply_message(state, message, transaction)
        seconds = time.perf_counter() - start
        if computation.is_error:
            raise RuntimeError(f"py-evm: {computation.error}")
        return seconds
