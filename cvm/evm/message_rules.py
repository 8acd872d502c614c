"""How a message begins and ends, whichever interpreter runs its code."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cvm.evm.frame_view import FrameView
from cvm.evm.halts import (
    AddressCollision,
    CodeTooLarge,
    Halt,
    InvalidCodePrefix,
    OutOfGas,
    PrecompileFailed,
    Revert,
)
from cvm.evm.live_account import LiveAccount
from cvm.evm.messages import BlockEnvironment, Message, Outcome, Status, TransactionEnvironment
from cvm.evm.opcode_table import OPCODES
from cvm.evm.precompiles.table import OSAKA_TABLE
from cvm.evm.state_reader import EMPTY_CODE_HASH
from cvm.evm.world_state import WorldState

MAX_CODE_BYTES = 24_576  # EIP-170
CODE_BYTE_GAS = 200
REVERTED = "execution reverted"
INVALID = 0xFE  # EIP-141: stays no opcode for ever


class Precompile(Protocol):
    """A function of its input alone, with a price."""

    @property
    def most_bytes(self) -> int | None:
        """Return how many bytes of input can matter to `run`, None where all do."""

    def gas(self, data: bytes, /) -> int:
        """Return the price."""

    def run(self, data: bytes, /) -> bytes | None:
        """Return the output, or None where the input is refused."""


@dataclass(slots=True)
class PrecompileCall:
    """What an added precompile sees; it may charge, and read and write the world."""

    world: WorldState
    block: BlockEnvironment
    message: Message
    gas: int

    def charge(self, gas: int) -> None:
        """Take gas; raises `OutOfGas`."""
        if gas > self.gas:
            raise OutOfGas
        self.gas -= gas


AddedOpcode = Callable[[FrameView], None]
AddedPrecompile = Callable[[PrecompileCall], bytes]
"""Returns the output; raises `Halt`, or `Revert` with an output."""


Royalties = Callable[[], Sequence[tuple[bytes, int]]]
"""Returns what was charged for others, call by call: who gets it, and the gas."""


def no_royalties() -> tuple[tuple[bytes, int], ...]:
    """Return nothing: Ethereum's own opcodes charge for nobody else."""
    return ()


class OpcodeTaken(ValueError):
    """An added opcode or precompile would replace one of Ethereum's."""

    def __init__(self, what: str, taken: list[str]) -> None:
        super().__init__(f"{what} already in use: {', '.join(taken)}")


@dataclass(frozen=True, slots=True)
class Additions:
    """What a chain adds to the EVM, by byte and by address.

    `royalties` is asked before and after each transaction; the gas that it names since is part of
    the gas used, and is paid to its owners at the transaction's price, not burned.

    Raises `OpcodeTaken` where a fork of Ethereum already uses one of them.
    """

    opcodes: Mapping[int, AddedOpcode] = field(default_factory=dict)
    precompiles: Mapping[bytes, AddedPrecompile] = field(default_factory=dict)
    royalties: Royalties = no_royalties

    def __post_init__(self) -> None:
        bytes_taken = sorted(self.opcodes.keys() & (OPCODES.keys() | {INVALID}))
        if bytes_taken:
            raise OpcodeTaken("opcode", [f"0x{byte:02x}" for byte in bytes_taken])
        addresses_taken = sorted(self.precompiles.keys() & OSAKA_TABLE.keys())
        if addresses_taken:
            raise OpcodeTaken("precompile", [f"0x{each.hex()}" for each in addresses_taken])


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides how messages run in one block."""

    world: WorldState
    block: BlockEnvironment
    precompiles: Mapping[bytes, Precompile]
    additions: Additions


class Interpreter(Protocol):
    """Runs the messages of one block, each with all that it calls."""

    def __init__(self, rules: Rules) -> None:
        """Make an interpreter for a block."""

    def execute(self, message: Message, transaction: TransactionEnvironment) -> Outcome:
        """Run a message on the world of the rules; a failed one leaves no trace there."""


MakeInterpreter = Callable[[Rules], Interpreter]
"""Makes the interpreter of one block: one of their classes, or what watches one as it runs."""


def begin(rules: Rules, message: Message) -> Outcome | None:
    """Move value and run a precompile; the outcome, or None where code must run.

    The caller has taken a mark before, and goes back to it if the outcome is no success.
    """
    world = rules.world
    target = world.account(message.target)
    if message.is_creation:
        return _begin_creation(world, message, target)
    if message.transfers:
        if message.value:
            world.transfer(world.account(message.caller), target, message.value)
        else:
            world.touch(target)
    if message.code_address in rules.additions.precompiles:
        return _run_added(rules, message)
    precompile = rules.precompiles.get(message.code_address)
    if precompile is not None:
        return _run_precompile(precompile, message)
    if code_account(world, message.code_address).code_hash == EMPTY_CODE_HASH:
        return Outcome(Status.SUCCEEDED, message.gas, b"")
    return None


def code_account(world: WorldState, address: bytes) -> LiveAccount:
    """Return the account whose code runs at an address; a delegation is followed once."""
    account = world.account(address)
    if not world.fork.is_prague:
        return account
    delegate = world.delegate_of(account)
    if delegate is None:
        return account
    return world.account(delegate)


def _begin_creation(world: WorldState, message: Message, target: LiveAccount) -> Outcome | None:
    if target.nonce or target.code_hash != EMPTY_CODE_HASH or world.slots.is_used(target):
        return halted(AddressCollision())
    world.create(target)
    world.transfer(world.account(message.caller), target, message.value)
    return None


def _run_precompile(precompile: Precompile, message: Message) -> Outcome:
    price = precompile.gas(message.data)
    if price > message.gas:
        return halted(OutOfGas())
    output = precompile.run(bytes(message.data[: precompile.most_bytes]))
    if output is None:
        return halted(PrecompileFailed())
    return Outcome(Status.SUCCEEDED, message.gas - price, output)


def _run_added(rules: Rules, message: Message) -> Outcome:
    call = PrecompileCall(rules.world, rules.block, message, message.gas)
    try:
        output = rules.additions.precompiles[message.code_address](call)
    except Halt as halt:
        return halted(halt)
    except Revert as revert:
        return Outcome(Status.REVERTED, call.gas, revert.output, REVERTED)
    return Outcome(Status.SUCCEEDED, call.gas, output)


def halted(halt: Halt) -> Outcome:
    """Return the outcome of a halt: no gas, no output."""
    return Outcome(Status.HALTED, 0, b"", type(halt).__name__)


def end_creation(world: WorldState, message: Message, outcome: Outcome) -> Outcome:
    """Store the code that initcode returned, or say why not (EIP-170, EIP-3541)."""
    if not outcome.is_success:
        return outcome
    code, price = outcome.output, CODE_BYTE_GAS * len(outcome.output)
    if code.startswith(b"\xef"):
        return halted(InvalidCodePrefix())
    if len(code) > MAX_CODE_BYTES:
        return halted(CodeTooLarge())
    if price > outcome.gas_left:
        return halted(OutOfGas())
    world.set_code(world.account(message.target), code)
    return Outcome(Status.SUCCEEDED, outcome.gas_left - price, code)
