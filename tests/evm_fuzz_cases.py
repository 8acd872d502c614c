"""Draws cases: a state of a few accounts, and a block of transactions on it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from cvm.evm.creation_address import creation_address
from cvm.evm.execution import BlockContext
from cvm.evm.forks import Fork
from cvm.evm.keccak import keccak256
from cvm.evm.live_account import DELEGATION_PREFIX
from cvm.evm.signatures import address_of_key
from cvm.evm.transaction import ACCESS_LIST, BLOB, DYNAMIC_FEE, LEGACY, SET_CODE, AccessList
from tests.evm_assembly import Program, Step, push_bytes, push_number
from tests.evm_fuzz_programs import ProgramDrawer

CHAIN_ID = 1
COINBASE = b"\xc0\x1b" + b"\xba" * 18
NOBODY = b"\x0d" * 20
CONTRACTS, SENDERS = 4, 4
PRECOMPILES = tuple(n.to_bytes(20, "big") for n in (1, 2, 3, 4, 5, 6, 7, 9, 0x100))


@dataclass(frozen=True, slots=True)
class Contract:
    """An account with code, or with a delegation in the place of it."""

    address: bytes
    balance: int
    nonce: int
    storage: Mapping[int, int]
    program: Program
    delegate: bytes = b""

    @property
    def code(self) -> bytes:
        return DELEGATION_PREFIX + self.delegate if self.delegate else self.program.assemble()


@dataclass(frozen=True, slots=True)
class Delegation:
    """An authorization before it is signed; its nonce is right plus `shift`."""

    key: bytes
    target: bytes
    chain_id: int
    shift: int = 0
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class DrawnTransaction:
    """A transaction before it is signed; `gas` is above the intrinsic gas."""

    type_id: int
    key: bytes
    to: bytes
    value: int
    gas: int
    data: bytes
    initcode: Program
    fee_cap: int
    tip: int
    access_list: AccessList = ()
    delegations: tuple[Delegation, ...] = ()
    nonce_shift: int = 0
    blob_fee_cap: int = 0
    blob_hashes: tuple[bytes, ...] = ()

    @property
    def payload(self) -> bytes:
        return self.data if self.to else self.initcode.assemble()


@dataclass(frozen=True, slots=True)
class Case:
    """A state and a block; everything that peers must agree on follows from it."""

    fork: Fork
    context: BlockContext
    contracts: tuple[Contract, ...]
    senders: Mapping[bytes, int]
    transactions: tuple[DrawnTransaction, ...]
    delegated_keys: Mapping[bytes, bytes] = field(default_factory=dict)

    def accounts(self) -> dict[str, Any]:
        """Return the state as the public suites list one."""
        listed = {}
        for contract in self.contracts:
            storage = {hex(slot): hex(value) for slot, value in contract.storage.items()}
            listed[contract.address.hex()] = {
                "nonce": hex(contract.nonce),
                "balance": hex(contract.balance),
                "code": contract.code.hex(),
                "storage": storage,
            }
        for key, balance in self.senders.items():
            delegate = self.delegated_keys.get(key)
            listed[address_of_key(key).hex()] = {
                "nonce": "0x1" if delegate else "0x0",
                "balance": hex(balance),
                "code": (DELEGATION_PREFIX + delegate).hex() if delegate else "",
                "storage": {},
            }
        return listed

    def smaller(self) -> Iterator["Case"]:
        """Yield cases with less in them."""
        for place in range(len(self.transactions)):
            yield replace(self, transactions=without(self.transactions, place))
        for place, contract in enumerate(self.contracts):
            for program in contract.program.smaller():
                less = replace(contract, program=program)
                yield replace(self, contracts=exchanged(self.contracts, place, less))
            if contract.storage:
                less = replace(contract, storage={})
                yield replace(self, contracts=exchanged(self.contracts, place, less))
        for place, tx in enumerate(self.transactions):
            for small in smaller_transactions(tx):
                yield replace(self, transactions=exchanged(self.transactions, place, small))

    def text(self) -> str:
        """Return the case for a reader."""
        lines = [f"{self.fork.name}, {self.context}"]
        for contract in self.contracts:
            head = f"contract {contract.address.hex()}: {contract.balance} wei, nonce"
            lines.append(f"{head} {contract.nonce}, storage {dict(contract.storage)}")
            delegate = f"  delegates to {contract.delegate.hex()}"
            lines.append(delegate if contract.delegate else contract.program.text())
        for key, balance in self.senders.items():
            delegate = self.delegated_keys.get(key, b"").hex()
            lines.append(f"sender {address_of_key(key).hex()}: {balance} wei {delegate}")
        for tx in self.transactions:
            lines.append(str(replace(tx, initcode=Program())))
            lines += [tx.initcode.text()] * (not tx.to)
        return "\n".join(lines)


def without(items: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    """Return items less one."""
    return items[:place] + items[place + 1 :]


def exchanged(items: tuple[Any, ...], place: int, item: object) -> tuple[Any, ...]:
    """Return items with another in one place."""
    return (*items[:place], item, *items[place + 1 :])


def smaller_transactions(tx: DrawnTransaction) -> Iterator[DrawnTransaction]:
    """Yield transactions with less in them."""
    for program in tx.initcode.smaller():
        yield replace(tx, initcode=program)
    for place in range(len(tx.access_list)):
        yield replace(tx, access_list=without(tx.access_list, place))
    for place in range(len(tx.delegations)):
        if len(tx.delegations) > 1:
            yield replace(tx, delegations=without(tx.delegations, place))
    if tx.value:
        yield replace(tx, value=0)
    if tx.data:
        yield replace(tx, data=b"")


class CaseDrawer:
    """Draws one case; addresses differ between cases, so that a peer may keep its state."""

    def __init__(self, seed: int, number: int, fork: Fork, context: BlockContext) -> None:
        self._source = source = Random(f"{seed}/{number}")
        self._fork, self._context = fork, context
        salt = f"{seed}/{number}/".encode()
        self._keys = [keccak256(salt + b"key%d" % n) for n in range(SENDERS)]
        self._unborn = keccak256(salt + b"unborn")
        self._senders = [address_of_key(key) for key in self._keys]
        self._contracts = [keccak256(salt + b"contract%d" % n)[12:] for n in range(CONTRACTS)]
        born = [creation_address(self._contracts[0], 1), creation_address(self._senders[0], 0)]
        self._known = [*self._contracts, *self._contracts, *self._senders, *PRECOMPILES]
        self._known += [*born, context.coinbase, NOBODY, keccak256(salt)[12:]]
        self._is_deep = source.random() < 0.004

    def draw(self) -> Case:
        """Draw the case."""
        source = self._source
        contracts = tuple(self._contract(address) for address in self._contracts)
        rich = [1 << 100, 1 << 100, 1 << 100, source.choice((10**6, 10**15, 1 << 90))]
        senders = dict(zip(self._keys, rich, strict=True))
        delegated = {}
        if source.random() < 0.3:
            delegated[self._keys[1]] = source.choice(self._known)
        count = 1 if self._is_deep else source.choice((1, 1, 2, 3, 4))
        transactions = tuple(self._transaction() for _ in range(count))
        return Case(self._fork, self._context, contracts, senders, transactions, delegated)

    def _contract(self, address: bytes) -> Contract:
        source = self._source
        storage = {
            slot: source.choice((1, 2, 1 << 200)) for slot in range(4) if source.random() < 0.4
        }
        balance = source.choice((0, 0, 1, 10**6, 1 << 101))
        if self._is_deep:
            program = deep_program(source, source.choice(self._contracts))
            return Contract(address, 1 << 40, 1, storage, program)
        if source.random() < 0.04:
            target = source.choice(self._known)
            return Contract(address, balance, 1, storage, Program(), target)
        if source.random() < 0.02:
            steps = tuple(Step(byte) for byte in source.randbytes(source.randint(0, 200)))
            return Contract(address, balance, 1, storage, Program(steps))
        drawer = ProgramDrawer(source, self._fork, self._known)
        return Contract(address, balance, 1, storage, drawer.draw(source.randint(1, 16)))

    def _transaction(self) -> DrawnTransaction:
        source = self._source
        types = (LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE)
        type_id = source.choices(types, (3, 2, 3, 1, 3))[0]
        to, initcode = self._destination(type_id)
        cap = self._context.base_fee + source.choice((0, 1, 10, 10**9))
        tip = source.choice((0, 1, cap)) if type_id >= DYNAMIC_FEE else 0
        return DrawnTransaction(
            type_id=type_id,
            key=source.choices(self._keys, (5, 3, 3, 1))[0],
            to=to,
            value=source.choice((0, 0, 0, 1, 1000, 1 << 70)),
            gas=self._gas(),
            data=self._data(),
            initcode=initcode,
            fee_cap=cap if source.random() < 0.98 else source.choice((0, 1 << 128)),
            tip=tip,
            access_list=self._access_list() if type_id else (),
            delegations=self._delegations() if type_id == SET_CODE else (),
            nonce_shift=0 if source.random() < 0.99 else source.choice((1, -1)),
            blob_fee_cap=source.choice((0, 1, 1, 1, 7, 1 << 90)) if type_id == BLOB else 0,
            blob_hashes=self._blob_hashes() if type_id == BLOB else (),
        )

    def _blob_hashes(self) -> tuple[bytes, ...]:
        """Draw versioned hashes: mostly what a block takes, now and then one too many or wrong."""
        source = self._source
        version = b"\x01" if source.random() < 0.97 else b"\x02"
        count = source.choice((1, 1, 2, 3, 6, source.choice((0, 7, 9, 10))))
        return tuple(version + source.randbytes(31) for _ in range(count))

    def _destination(self, type_id: int) -> tuple[bytes, Program]:
        source = self._source
        may_create = type_id < BLOB or (type_id == BLOB and source.random() < 0.03)
        if may_create and not self._is_deep and source.random() < 0.15:
            drawer = ProgramDrawer(source, self._fork, self._known, 1, True)
            return b"", drawer.draw(source.randint(0, 10))
        if self._is_deep or source.random() < 0.7:
            return source.choice(self._contracts), Program()
        return source.choice(self._known), Program()

    def _gas(self) -> int:
        source, draw = self._source, self._source.random()
        if self._is_deep:
            return 1 << 23 if self._fork.max_tx_gas else 1 << 36
        if draw < 0.04:
            return source.choice((-1, 0, 1, 2))
        if draw < 0.35:
            return source.randint(0, 60_000)
        if draw > 0.997 and self._fork.max_tx_gas:
            return self._fork.max_tx_gas
        return source.choice((100_000, 100_000, 200_000, 300_000, 700_000))

    def _data(self) -> bytes:
        source, draw = self._source, self._source.random()
        if draw < 0.4:
            return b""
        if draw < 0.95:
            return source.randbytes(source.randint(1, 70))
        return bytes(source.randint(0, 500)) + source.randbytes(source.randint(0, 1500))

    def _access_list(self) -> AccessList:
        source = self._source
        return tuple(
            (source.choice(self._known), tuple(source.choices(range(4), k=source.randint(0, 3))))
            for _ in range(source.choice((0, 1, 1, 2, 4)))
        )

    def _delegations(self) -> tuple[Delegation, ...]:
        return tuple(self._delegation() for _ in range(self._source.choice((1, 1, 2, 3))))

    def _delegation(self) -> Delegation:
        source = self._source
        target = source.choice((bytes(20), *self._contracts, *self._contracts, *self._known))
        return Delegation(
            source.choice((*self._keys, *self._keys, self._unborn)),
            target,
            source.choice((0, CHAIN_ID, CHAIN_ID, CHAIN_ID, 2)),
            0 if source.random() < 0.9 else source.choice((1, -1)),
            source.random() < 0.03,
        )


def deep_program(source: Random, target: bytes) -> Program:
    """Return a program that calls on until the depth or the gas ends, and then notes it."""
    opcode = source.choice((0xF1, 0xF1, 0xF2, 0xF4))
    call = [Step(0x5F)] * (5 if opcode in (0xF1, 0xF2) else 4)
    call += [push_bytes(target), Step(0x5A), Step(opcode)]
    before = [push_number(source.randint(0, 5)), push_number(source.randint(0, 3)), Step(0x5D)]
    after = [Step(0x5F), Step(0x54), Step(0x01), Step(0x5F), Step(0x55)]
    return Program(tuple(before + call + after))


def block_context(fork: Fork, gas_limit: int, number: int = 300) -> BlockContext:
    """Return the block of every case."""
    return BlockContext(
        chain_id=CHAIN_ID,
        number=number,
        timestamp=1_800_000_000,
        coinbase=COINBASE,
        gas_limit=gas_limit,
        base_fee=7,
        prev_randao=keccak256(fork.name.encode()),
        parent_hash=height_hash(number - 1),
        parent_beacon_block_root=bytes(32),
    )


def height_hash(height: int) -> bytes:
    """Return the hash that a height has in every case."""
    return keccak256(str(height).encode())


def drawn_case(seed: int, number: int, forks: Sequence[Fork]) -> Case:
    """Draw a case; the same for the same seed and number."""
    fork = forks[number % len(forks)]
    return CaseDrawer(seed, number, fork, block_context(fork, 1 << 38)).draw()
