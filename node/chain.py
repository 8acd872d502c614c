"""The chain of one data directory: its head, reading it, and taking the next final block."""

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from itertools import accumulate
from typing import cast

from eth_keys.datatypes import PrivateKey

from consensus.block import Block
from consensus.block_execution import BlockRunner, CheckedBlock, LeftOut, Parent, Proposal
from consensus.certificate import (
    CommitCertificate,
    SealDomain,
    certify,
    seal,
    validate_certificate,
)
from consensus.faults import BadCertificate, HeaderFieldWrong, InvalidBlock, InvalidGenesis
from consensus.fork_schedule import Machines
from consensus.genesis import Genesis, genesis_block, parse_genesis
from cvm.evm.execution import BlockContext
from cvm.evm.header import BlockHeader
from cvm.evm.message_call import (
    CallSetting,
    MessageResult,
    SimulatedTransaction,
    estimate_gas,
    run_message,
)
from cvm.evm.state_committer import StateCommitter
from cvm.evm.state_reader import StateReader
from cvm.evm.transaction import Transaction
from models_registry.registry import StorageReader, read_validators
from node.chain_states import ChainStates
from node.inference_host import NodeInferenceHost
from node.storage.chain_database import ChainDatabase, FinalBlock, NoChainHere
from opcodes.inference_host import InferenceCall

ROUND_0 = 0
MAX_GENESIS_DEPTH = 16
"""Above the five levels of file, alloc, account, storage and slot."""
BRACKETS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class OtherGenesis(Exception):
    """The data directory already holds another chain."""

    def __init__(self, here: bytes, given: bytes) -> None:
        super().__init__(
            f"this data directory holds the chain of genesis 0x{here.hex()}, "
            f"the file given has 0x{given.hex()}: use another --datadir"
        )


class NotTheOnlyValidator(Exception):
    """A key cannot seal blocks alone on this chain."""

    def __init__(self, address: bytes, validators: tuple[bytes, ...]) -> None:
        listed = ", ".join(f"0x{validator.hex()}" for validator in validators)
        super().__init__(
            f"0x{address.hex()} cannot produce blocks: the validators are {listed}, and a node "
            "seals alone only where it is the single one"
        )


def init_chain(database: ChainDatabase, genesis_json: bytes) -> BlockHeader:
    """Write block 0 of a genesis file; an equal one that is already there is left alone.

    Raises `InvalidGenesis`, or `OtherGenesis`.
    """
    committer = StateCommitter(database.state)
    header, update = genesis_block(parse_genesis_file(genesis_json), committer)
    here = database.hash_at(0)
    if here is None:
        database.write_genesis(genesis_json, header, update)
    elif here != header.hash:
        raise OtherGenesis(here, header.hash)
    return header


def parse_genesis_file(genesis_json: bytes) -> Genesis:
    """Parse the bytes of a genesis file; raises `InvalidGenesis`.

    Its depth is checked first, because json recurses on Python's stack.
    """
    depth = max(accumulate(BRACKETS.get(byte, 0) for byte in genesis_json), default=0)
    if depth > MAX_GENESIS_DEPTH:
        raise InvalidGenesis(f"the genesis file is not JSON of a chain: {depth} levels deep")
    try:
        document = json.loads(genesis_json)
    except ValueError as error:
        raise InvalidGenesis(f"the genesis file is not JSON: {error}") from error
    try:
        return parse_genesis(document)
    except InvalidGenesis as error:
        if not may_be_plain(document):
            raise
        raise InvalidGenesis(
            f"{error} (there is no config.cvm: for a plain Ethereum chain use `cvm ethereum init`)"
        ) from error


def may_be_plain(document: object) -> bool:
    """Tell whether a genesis object looks like that of a chain which is not our own."""
    config = document.get("config") if isinstance(document, dict) else None
    return isinstance(config, dict) and "cvm" not in config


class Chain:
    """One writer; reading is safe from other threads because a block appears at once."""

    def __init__(self, database: ChainDatabase, host: NodeInferenceHost) -> None:
        genesis_json = database.genesis_json()
        head_hash = database.head_hash()
        if genesis_json is None or head_hash is None:
            raise NoChainHere(database.path.parent)
        self.database = database
        self.host = host
        self.genesis: Genesis = parse_genesis_file(genesis_json)
        self.parameters = self.genesis.parameters
        self._states = ChainStates(database)
        self._runner = BlockRunner(self.parameters, Machines(host), self._states)
        self._reading = Machines(host, keeps_calls=False)
        self._tracer = BlockRunner(self.parameters, Machines(host), self._states)
        self.domain = SealDomain(self.parameters.chain_id, database.hash_at(0) or b"")
        self._head = cast(Block, database.block(head_hash))

    @property
    def head(self) -> BlockHeader:
        """Return the newest final header."""
        return self._head.header

    def header_at(self, number: int) -> BlockHeader | None:
        """Return the header at a height, or None above the head."""
        block_hash = self.database.hash_at(number)
        return None if block_hash is None else self.database.header(block_hash)

    def propose(
        self, proposal: Proposal, candidates: Iterable[Transaction], key: PrivateKey
    ) -> tuple[CheckedBlock, LeftOut]:
        """Build the next block, seal it as the only validator, and make it final.

        Returns the block and the candidates left out with their faults. Raises
        `NotTheOnlyValidator`.
        """
        validators = self.validators()
        address = key.public_key.to_canonical_address()
        if validators != (address,):
            raise NotTheOnlyValidator(address, validators)
        checked, left_out = self._runner.build(self._parent(), proposal, candidates)
        block = checked.block
        sealed = seal(self.domain, key, block.number, ROUND_0, block.hash)
        self._append(checked, certify(block.number, ROUND_0, block.hash, [(0, sealed)]))
        return checked, left_out

    def import_block(self, block: Block, certificate: CommitCertificate) -> CheckedBlock | None:
        """Check a final block, inference included, and append it.

        A block that is already here is None. Raises an `InvalidBlock` naming transaction and
        model where execution disagrees, `BackendDisagrees` where the definition sides with the
        header against our own backend, or another `LocalFault`. Nothing is written then.
        """
        if self.database.hash_at(block.number) == block.hash:
            return None
        if block.number != self.head.block_number + 1:
            raise HeaderFieldWrong(block.number, "number", block.number, self.head.block_number + 1)
        validate_certificate(certificate, self.domain, self.validators(), block.hash, block.number)
        try:
            checked = self._runner.check(block, self._parent())
        except InvalidBlock as error:
            for _tx_hash, call in error.inferences:
                self.host.verify_on_reference(call)
            raise
        self._append(checked, certificate)
        return checked

    def trace_inferences(self, block: Block, index: int) -> tuple[InferenceCall, ...]:
        """Run a final block again up to a transaction and return what that one inferred.

        One thread at a time may trace. Raises a `LocalFault` where a state or a model is not here.
        """
        header = block.header
        before = self.header_at(block.number - 1)
        if before is None:
            return ()
        certificate_hash = header.parent_beacon_block_root or bytes(32)
        return self._tracer.trace(block, Parent(before, certificate_hash, self._block_hash), index)

    def _append(self, checked: CheckedBlock, certificate: CommitCertificate) -> None:
        self.database.write_block(
            FinalBlock(checked.block, checked.executed.receipts, certificate, checked.update)
        )
        self._head = checked.block

    def _parent(self) -> Parent:
        head = self._head
        certificate = self.database.certificate(head.hash)
        if certificate is None and head.number > 0:
            raise BadCertificate(head.number, "is missing from the database")
        return Parent(
            header=head.header,
            certificate_hash=bytes(32) if certificate is None else certificate.hash,
            block_hash=self._block_hash,
        )

    def validators(self) -> tuple[bytes, ...]:
        """Return the validators of the next block."""
        return read_validators(self.storage_at(self.head), self.head.block_number + 1)

    def _block_hash(self, number: int) -> bytes:
        """Return the hash at a height that is here."""
        return self.database.hash_at(number) or bytes(32)

    def storage_at(self, header: BlockHeader) -> StorageReader:
        """Return a reader of contract storage after a block."""

        def read(address: bytes, slot: int, /) -> int:
            with self.state_at(header) as state:
                return state.storage(address, slot)

        return read

    def state_at(self, header: BlockHeader) -> AbstractContextManager[StateReader]:
        """Open the state after a block."""
        return self._states.reader_after(header)

    def _setting(
        self, header: BlockHeader, state: StateReader, *, free_gas: bool, blocks_later: int = 0
    ) -> CallSetting:
        """Return where a message runs after a block: in it, or in one of the blocks after it.

        With `free_gas` the base fee that opcodes see is 0, as for a call with no gas price.
        """
        context = BlockContext(
            chain_id=self.parameters.chain_id,
            number=header.block_number + blocks_later,
            timestamp=header.timestamp + blocks_later * self.parameters.period_s,
            coinbase=header.coinbase,
            gas_limit=header.gas_limit,
            base_fee=0 if free_gas else header.base_fee_per_gas or 0,
            prev_randao=header.mix_hash,
            parent_hash=header.parent_hash,
            parent_beacon_block_root=header.parent_beacon_block_root or bytes(32),
        )
        rules = self._reading.rules(header.block_number)
        return CallSetting(rules, state, context, self._block_hash)

    def run_message(self, header: BlockHeader, tx: SimulatedTransaction) -> MessageResult:
        """Run a message on the state after a block; raises a `LocalFault` as inference does."""
        with self.state_at(header) as state:
            return run_message(self._setting(header, state, free_gas=tx.gas_price == 0), tx)

    def estimate_gas(self, header: BlockHeader, tx: SimulatedTransaction) -> int | MessageResult:
        """Return the least gas with which a message succeeds in the next block, or its failure.

        The gas of a transaction may depend on the number of its block, which is not this one's.
        """
        with self.state_at(header) as state:
            setting = self._setting(header, state, free_gas=tx.gas_price == 0, blocks_later=1)
            return estimate_gas(setting, tx)
