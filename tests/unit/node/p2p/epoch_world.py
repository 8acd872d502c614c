"""A chain of several validators and short epochs, in which members come and go."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consensus.block_execution import Proposal
from consensus.certificate import CommitCertificate, certify, quorum, seal
from consensus.new_genesis import new_genesis
from consensus.parameters import ChainParameters
from cvm.evm.keccak import keccak256
from cvm.evm.private_key import PrivateKey
from cvm.evm.transaction_decoding import decode_transaction
from models_registry.addresses import VALIDATOR_SET
from models_registry.genesis import RegistryParameters, ValidatorParameters
from tests.chain_world import CHAIN_ID, GENESIS_TIME, ChainWorld, address_of, signed

KEYS = tuple(PrivateKey(bytes([0x60 + number]) * 32) for number in range(7))  # TEST keys
KEY_OF = {address_of(key): key for key in KEYS}
FOUNDERS = KEYS[:4]
EPOCH_BLOCKS = 4
UNBONDING_BLOCKS = 1000
BOND = 10**18


def epoch_genesis(epoch_blocks: int = EPOCH_BLOCKS) -> bytes:
    document: dict[str, Any] = new_genesis(
        ChainParameters(chain_id=CHAIN_ID, period_s=1),
        [address_of(key) for key in FOUNDERS],
        {address_of(key): 10**21 for key in KEYS},
        GENESIS_TIME,
        RegistryParameters().with_delays(1),
        ValidatorParameters(BOND, epoch_blocks, UNBONDING_BLOCKS),
    )
    return json.dumps(document).encode()


class EpochWorld(ChainWorld):
    """Blocks are sealed by a quorum of whoever votes at their height."""

    def __init__(self, folder: Path, genesis_json: bytes) -> None:
        super().__init__(folder, genesis_json)
        self._nonces = dict.fromkeys(KEYS, 0)

    def certificate(
        self, height: int, block_hash: bytes, validators: Sequence[bytes], first: int = 0
    ) -> CommitCertificate:
        """Return a certificate by a quorum of some validators, from one of them on."""
        count = len(validators)
        signers = [(first + index) % count for index in range(quorum(count))]
        seals = [
            (index, seal(self.chain.domain, KEY_OF[validators[index]], height, 0, block_hash))
            for index in signers
        ]
        return certify(height, 0, block_hash, seals)

    def block(self, *raw: bytes) -> None:
        """Make the next block final."""
        validators = self.chain.validators()
        proposal = Proposal(validators[0], 0)
        checked, left_out = self.chain.build(proposal, map(decode_transaction, raw))
        assert left_out == ()
        assert all(receipt.status == 1 for receipt in checked.executed.receipts)
        block = checked.block
        self.chain.append(checked, self.certificate(block.number, block.hash, validators))

    def call(self, key: PrivateKey, function: str, value: int = 0) -> bytes:
        """Return a signed call of a function of the ValidatorSet without arguments."""
        nonce = self._nonces[key]
        self._nonces[key] += 1
        data = keccak256(f"{function}()".encode())[:4]
        return signed(key, nonce, to=VALIDATOR_SET, data=data, value=value)

    def join(self, key: PrivateKey) -> None:
        self.block(self.call(key, "join", BOND))

    def leave(self, key: PrivateKey) -> None:
        self.block(self.call(key, "leave"))

    def run_to(self, height: int) -> None:
        while self.chain.head.block_number < height:
            self.block()


def changing_world(folder: Path) -> EpochWorld:
    """Make 60 blocks in which three join and all four founders leave."""
    world = EpochWorld(folder, epoch_genesis())
    for index, key in enumerate(KEYS[4:]):
        world.run_to(8 * index + 1)
        world.join(key)
    for index, key in enumerate(FOUNDERS):
        world.run_to(28 + 6 * index)
        world.leave(key)
    world.run_to(60)
    return world
