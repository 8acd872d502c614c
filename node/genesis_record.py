"""A validator's duty once in the life of its chain: the ValidatorSet has to keep block 0's hash.

Signed votes name that hash, so without it the contract can judge none of them. It cannot lie in the
state of block 0, and EIP-2935's contract forgets it after 8,191 blocks. The transaction waits in
the pool for a block that is made anyway: it never begins one.
"""

import asyncio

import structlog

from consensus.header_rules import next_base_fee
from cvm.evm.faults import InvalidTransaction
from cvm.evm.keccak import keccak256
from cvm.evm.private_key import PrivateKey
from cvm.evm.state_reader import Account
from cvm.evm.transaction_signing import UnsignedTransaction
from models_registry.addresses import VALIDATOR_SET
from models_registry.registry import read_genesis_hash
from node.chain import Chain
from node.keys import address_of
from node.network_view import NetworkView
from node.readiness import Phase
from node.transaction_pool import TransactionPool

log = structlog.get_logger(__name__)
CALLDATA = keccak256(b"recordGenesisHash()")[:4]
LAST_HEIGHT = 8_191
"""The last block whose transactions find block 0's hash in EIP-2935's contract."""

TURN_BLOCKS = 4
"""For so long each validator in turn may send it: one is enough, and another may be penniless."""

GAS = 100_000
"""The call takes 50,189."""

BASE_FEES = 10
"""The base fee may grow so many times before the transaction has to wait for it to fall."""

MIN_FEE_CAP = 10**9


class GenesisRecorder:
    """Looks after each block whether the hash is kept, and sends the call in its turn.

    It ends when the hash is kept, or can be no more.
    """

    def __init__(
        self, chain: Chain, key: PrivateKey, pool: TransactionPool, network: NetworkView
    ) -> None:
        self._chain = chain
        self._key = key
        self._address = address_of(key)
        self._pool = pool
        self._network = network
        self._moved = asyncio.Event()
        self._has_warned = False

    def wake(self) -> None:
        """Look again: there is a new block."""
        self._moved.set()

    async def run(self) -> None:
        """Do the duty until it is done or can be done no more."""
        is_over = False
        while not is_over:
            await self._moved.wait()
            self._moved.clear()
            is_over = self.look()

    def look(self) -> bool:
        """Send the call in this validator's turn; tell whether nothing is left to be done."""
        head = self._chain.head
        if read_genesis_hash(self._chain.storage_at(head)) is not None:
            return True
        if head.block_number >= LAST_HEIGHT:
            log.warning("block 0's hash was not kept: no double vote can be proven in the contract")
            return True
        if self._is_turn():
            self._send()
        return False

    def _is_turn(self) -> bool:
        validators = self._chain.validators()
        if self._address not in validators or self._network.status().phase is Phase.SYNCING:
            return False
        turn = self._chain.head.block_number // TURN_BLOCKS % len(validators)
        return validators[turn] == self._address

    def _send(self) -> None:
        """Put the call into the pool, unless something of this account waits there already."""
        with self._chain.state_at(self._chain.head) as state:
            account = state.account(self._address) or Account()
            if self._pool.next_nonce(self._address, account.nonce) != account.nonce:
                return
            tx = UnsignedTransaction(
                chain_id=self._chain.parameters.chain_id,
                nonce=account.nonce,
                max_fee_per_gas=max(BASE_FEES * next_base_fee(self._chain.head), MIN_FEE_CAP),
                gas=GAS,
                to=VALIDATOR_SET,
                data=CALLDATA,
            ).sign(self._key.to_bytes())
            try:
                self._pool.add(tx, state)
            except InvalidTransaction as fault:
                self._warn(fault)
                return
        log.info("asking the contract to keep block 0's hash", tx=f"0x{tx.hash.hex()}")

    def _warn(self, fault: InvalidTransaction) -> None:
        """Say once why this validator cannot do it; the others have their turns."""
        if not self._has_warned:
            self._has_warned = True
            log.warning("cannot have block 0's hash kept", reason=str(fault))
