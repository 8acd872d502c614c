"""The chain of one data directory: its head, reading it, and taking the next final block."""

import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from itertools import accumulate
from typing import ClassVar

import structlog

from consensus.block import Block
from consensus.block_execution import BlockRunner, CheckedBlock, LeftOut, Parent, Proposal
from consensus.certificate import CommitCertificate, SealDomain, validate_certificate
from consensus.faults import BadCertificate, HeaderFieldWrong, InvalidBlock, InvalidGenesis
from consensus.fork_schedule import Machines
from consensus.genesis import Genesis, genesis_block, parse_genesis
from consensus.validators import epoch_of
from cvm.evm.execution import BlockExecution
from cvm.evm.header import BlockHeader
from cvm.evm.state_committer import StateCommitter
from cvm.evm.state_reader import StateReader
from cvm.evm.transaction import Transaction
from models_registry.registry import StorageReader, read_epoch_blocks, read_validators
from node.chain_states import ChainStates
from node.execution.own_chain import OwnExecutionChain
from node.inference_host import NodeInferenceHost
from node.storage.chain_database import ChainDatabase, FinalBlock, NoChainHere

log = structlog.get_logger(__name__)
AppendListener = Callable[[CheckedBlock, CommitCertificate], None]
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
    return parse_genesis(document)


def may_be_plain(document: object) -> bool:
    """Tell whether a genesis object looks like that of a chain which is not our own."""
    config = document.get("config") if isinstance(document, dict) else None
    return isinstance(config, dict) and "cvm" not in config


class Chain:
    """One writer; reading is safe from other threads because a block appears at once."""

    make_execution: ClassVar[type[BlockExecution]] = BlockExecution

    def __init__(self, database: ChainDatabase, host: NodeInferenceHost) -> None:
        genesis_json = database.genesis_json()
        if genesis_json is None:
            raise NoChainHere(database.path.parent)
        self.database = database
        self.host = host
        self.genesis: Genesis = parse_genesis_file(genesis_json)
        self.parameters = self.genesis.parameters
        self._states = ChainStates(database)
        make = self.make_execution
        self._runner = BlockRunner(self.parameters, Machines(host), self._states, make)
        self.execution = OwnExecutionChain(database, self.parameters, host, make)
        self.domain = SealDomain(self.parameters.chain_id, database.hash_at(0) or b"")
        self._head = self._stored_head()
        self._listeners: list[AppendListener] = []
        self._epoch_blocks = read_epoch_blocks(self.storage_at(self.head)) or 1
        self._validators: dict[int, tuple[bytes, ...]] = {}

    def _stored_head(self) -> Block:
        """Return the head of the database; raises `NoChainHere`."""
        block = self.database.block(self.database.head_hash() or b"")
        if block is None:
            raise NoChainHere(self.database.path.parent)
        return block

    @property
    def head(self) -> BlockHeader:
        """Return the newest final header."""
        return self._head.header

    def header_at(self, number: int) -> BlockHeader | None:
        """Return the header at a height, or None above the head."""
        block_hash = self.database.hash_at(number)
        return None if block_hash is None else self.database.header(block_hash)

    def build(
        self, proposal: Proposal, candidates: Iterable[Transaction]
    ) -> tuple[CheckedBlock, LeftOut]:
        """Build the next block on the head; nothing is written.

        Returns the block and the candidates left out with their faults.
        """
        return self._runner.build(self._parent(None), proposal, candidates)

    def check(self, block: Block, parent_certificate: CommitCertificate | None) -> CheckedBlock:
        """Check the next block against every rule, executing it; nothing is written.

        `parent_certificate` is the head's as the proposer has it, this node's own if None. Raises
        an `InvalidBlock` naming transaction and model, or a `LocalFault`.
        """
        if block.number != self.head.block_number + 1:
            raise HeaderFieldWrong(block.number, "number", block.number, self.head.block_number + 1)
        return self._runner.check(block, self._parent(parent_certificate))

    def find_own_fault(
        self, error: InvalidBlock, is_over: Callable[[], bool] = lambda: False
    ) -> bool:
        """Compare what a refused block ran with the definition; a backend that differs goes.

        That takes hundreds of times as long as the block did. It may be done on another thread, and
        ends as soon as `is_over` says so. Raises a `LocalFault`.
        """
        found = False
        for tx_hash, call in error.inferences:
            divergence = self.host.compare_with_reference(call, is_over)
            if divergence is not None:
                log.error("inference diverges", tx=f"0x{tx_hash.hex()}", **divergence.fields())
                found = True
        if found:
            self.host.quarantine()
            log.error("backend in quarantine", backend=self.host.quarantined, reason=str(error))
        return found

    def append(
        self,
        checked: CheckedBlock,
        certificate: CommitCertificate,
        parent_certificate: CommitCertificate | None = None,
    ) -> None:
        """Write a checked block as final, durably; it is the head from then on.

        The certificate that the block names replaces the one that is here of its parent, and has
        to be given where it is another. A block that is already here is left alone. Raises
        `BadCertificate`, or `HeaderFieldWrong` for another parent certificate.
        """
        block = checked.block
        if self.database.hash_at(block.number) == block.hash:
            return
        validators = self.validators_at(block.number)
        validate_certificate(certificate, self.domain, validators, block.hash, block.number)
        named = parent_certificate or self.certificate_at(block.number - 1)
        if named is not None:
            validate_parent_certificate(block.header, named)
        self.database.write_block(
            FinalBlock(
                checked.block,
                checked.executed.receipts,
                certificate,
                checked.update,
                parent_certificate,
            )
        )
        self._head = checked.block
        for listener in self._listeners:
            listener(checked, certificate)

    def on_append(self, listener: AppendListener) -> None:
        """Call `listener`, on the thread that appends, for every block from now on."""
        self._listeners.append(listener)

    def import_block(
        self,
        block: Block,
        certificate: CommitCertificate,
        parent_certificate: CommitCertificate | None = None,
    ) -> CheckedBlock | None:
        """Check a final block, inference included, and append it.

        A block that is already here is None. Where the definition sides with the header against
        this node's backend, the backend is put in quarantine and the definition's result taken.
        Raises what `check` does; nothing is written then.
        """
        if self.database.hash_at(block.number) == block.hash:
            return None
        if block.number != self.head.block_number + 1:
            raise HeaderFieldWrong(block.number, "number", block.number, self.head.block_number + 1)
        validators = self.validators_at(block.number)
        validate_certificate(certificate, self.domain, validators, block.hash, block.number)
        try:
            checked = self.check(block, parent_certificate)
        except InvalidBlock as error:
            if not self.find_own_fault(error):
                raise
            checked = self.check(block, parent_certificate)
        self.append(checked, certificate, parent_certificate)
        return checked

    def _parent(self, certificate: CommitCertificate | None) -> Parent:
        """Return what the next block builds on; raises `BadCertificate` for a given one."""
        head = self._head
        if head.number == 0:
            return Parent(head.header, bytes(32), self._block_hash)
        own = self.database.certificate(head.hash)
        if certificate is None:
            certificate = own
        elif certificate != own:
            validators = self.validators_at(head.number)
            validate_certificate(certificate, self.domain, validators, head.hash, head.number)
        if certificate is None:
            raise BadCertificate(head.number, "is missing from the database")
        return Parent(head.header, certificate.hash, self._block_hash)

    def validators(self) -> tuple[bytes, ...]:
        """Return the validators of the next block, in the order of turns."""
        return self.validators_at(self.head.block_number + 1)

    def validators_at(self, height: int) -> tuple[bytes, ...]:
        """Return the validators of a height: known up to the one after the head.

        And back as far as the bonds of those who left are held.
        """
        epoch = epoch_of(height, self._epoch_blocks)
        known = self._validators.get(epoch)
        if known is None:
            known = read_validators(self.storage_at(self.head), height)
            kept = [each for each in self._validators.items() if each[0] >= epoch - 1]
            self._validators = dict([*kept, (epoch, known)])
        return known

    def certificate_at(self, number: int) -> CommitCertificate | None:
        """Return the certificate of a final block; genesis has none."""
        block_hash = self.database.hash_at(number)
        return None if block_hash is None else self.database.certificate(block_hash)

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


def validate_parent_certificate(header: BlockHeader, certificate: CommitCertificate) -> None:
    """Check that a certificate is the one that a header names; raises `HeaderFieldWrong`."""
    named = header.parent_beacon_block_root
    if certificate.hash != named:
        raise HeaderFieldWrong(
            header.block_number, "parentBeaconBlockRoot", named, certificate.hash
        )
