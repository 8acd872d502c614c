"""Stock py-evm 0.12.1b1 as a peer: Prague, where it is right.

It takes transactions that break rules (EIP-3607, balance, tip, calldata floor), so it is asked for
those only that our core takes. It puts system contracts into every state, so accounts and slots
are compared and not roots. Blocks are left out in which a transaction pays the calldata floor (it
takes refunds off the floor, where EIP-7623 has the floor last), or whose sender delegates (it
charges such an origin twice for initcode). Its MODEXP gives 0 for nothing to the power of nothing,
so ours takes its place; the other peers answer for that one.
"""

from dataclasses import replace
from typing import Any

from eth.db.atomic import AtomicDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.prague import PragueVM

from consensus.ethereum.py_evm_machine import with_right_modexp
from cvm.evm.forks import PRAGUE
from cvm.evm.keccak import keccak256
from cvm.evm.live_account import DELEGATION_PREFIX
from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from cvm.evm.transaction_decoding import decode_transaction
from cvm.evm.transaction_gas import floor_data_gas
from tests.evm_fuzz_blocks import Answer, Block, NoAnswer, Ran, listed_hash, run_block
from tests.evm_fuzz_peers import signers_of

HASHES = 256


def pays_floor(raw: bytes, ran: Ran) -> bool:
    """Tell whether a transaction with data paid the least that its data costs."""
    data = decode_transaction(raw).data
    return bool(data) and ran.gas_used == floor_data_gas(data, PRAGUE)


def has_delegating_sender(block: Block) -> bool:
    """Tell whether a sender delegates before the block, or may in it."""
    designated = {
        address
        for address, entry in block.accounts.items()
        if entry["code"].startswith(DELEGATION_PREFIX.hex())
    }
    senders = {decode_transaction(raw).sender.hex() for raw in block.transactions}
    return not senders.isdisjoint(designated | signers_of(block))


class PyEvmPeer:
    """A py-evm as its package has it; a new state for each block."""

    def __init__(self) -> None:
        self._state: Any = None

    def answer(self, block: Block) -> tuple[Block, Answer]:
        """Run those transactions of the block that our core takes."""
        ours = run_block(block, NativeInterpreter)
        taken = zip(block.transactions, ours.transactions, strict=True)
        pairs = [(raw, ran) for raw, ran in taken if ran is not None]
        if any(pays_floor(raw, ran) for raw, ran in pairs) or has_delegating_sender(block):
            raise NoAnswer
        kept = replace(block, transactions=tuple(raw for raw, _ran in pairs))
        self._state = self._state_before(kept)
        return kept, Answer(tuple(map(self._run, kept.transactions)))

    @staticmethod
    def _state_before(block: Block) -> Any:
        context = block.context
        heights = range(context.number - 1, max(-1, context.number - 1 - HASHES), -1)
        typed: Any = ExecutionContext  # py-evm's own types are not worth a cast each
        execution = typed(
            coinbase=context.coinbase,
            timestamp=context.timestamp,
            block_number=context.number,
            difficulty=0,
            mix_hash=context.prev_randao,
            gas_limit=context.gas_limit,
            prev_hashes=map(listed_hash, heights),
            chain_id=context.chain_id,
            base_fee_per_gas=context.base_fee,
            excess_blob_gas=0,
        )
        base: Any = PragueVM.get_state_class()  # the same
        make_state = base.configure(computation_class=with_right_modexp(base.computation_class))
        state = make_state(AtomicDB(), execution, EMPTY_TRIE_ROOT)
        for text, entry in block.accounts.items():
            address = bytes.fromhex(text)
            state.set_balance(address, int(entry["balance"], 16))
            state.set_nonce(address, int(entry["nonce"], 16))
            state.set_code(address, bytes.fromhex(entry["code"]))
            for slot, value in entry["storage"].items():
                state.set_storage(address, int(slot, 16), int(value, 16))
        state.lock_changes()
        return state

    def _run(self, raw: bytes) -> Ran:
        tx: Any = PragueVM.get_transaction_builder().decode(raw)
        self._state.lock_changes()
        computation = self._state.apply_transaction(tx)
        logs = tuple(
            (address.hex(), tuple(f"{topic:064x}" for topic in topics), data.hex())
            for address, topics, data in computation.get_log_entries()
        )
        gas_used = PragueVM.finalize_gas_used(tx, computation)
        return Ran(computation.is_success, gas_used, logs, computation.output.hex())

    def state(self, wanted: Answer, ran: Answer) -> Answer:
        """Add to an answer the accounts and slots that another holds, as they stand here."""
        accounts, storage = {}, {}
        for text in wanted.accounts or {}:
            address = bytes.fromhex(text)
            code_hash = keccak256(self._state.get_code(address)).hex()
            balance = self._state.get_balance(address)
            accounts[text] = (self._state.get_nonce(address), balance, code_hash)
        for text, slots in (wanted.storage or {}).items():
            address = bytes.fromhex(text)
            storage[text] = {slot: self._state.get_storage(address, slot) for slot in slots}
        return replace(ran, accounts=accounts, storage=storage)

    def block_hash(self, height: int) -> bytes:
        return listed_hash(height)

    def close(self) -> None:
        return
