"""A chain in this process for the examples: one validator, real models, a block per transaction.

It is the chain of the tests, with several people on it and the gas of what they did. Every key
here is a TEST key.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cvm.evm.creation_address import creation_address
from cvm.evm.keccak import keccak256
from cvm.evm.log import Log
from cvm.evm.message_call import MessageResult, SimulatedTransaction
from cvm.evm.private_key import PrivateKey
from cvm.inference.backends.table import backend_named
from models_registry.contract_abi import ContractAbi
from node.execution.messages import call_message
from tests.chain_world import USER, ChainWorld, address_of, genesis_document, signed

ETHER = 10**18
PURSE_WEI = 1_000 * ETHER
TRANSFER_GAS = 21_000
GAS = 1 << 24
"""Gas limit of every transaction: the most that one may have (EIP-7825)."""
CALL_GAS = 1 << 26
NOBODY = bytes(20)


class TransactionFailed(Exception):
    """A transaction was left out of its block, or reverted."""


class NotRefused(Exception):
    """A contract would have done what it must refuse."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a transaction cost and logged."""

    gas_used: int
    logs: tuple[Log, ...]


class DevChain:
    """People with ether, contracts, and models of the package on a chain of their own."""

    def __init__(self, folder: Path, backend: str) -> None:
        genesis = json.dumps(genesis_document()).encode()
        self._world = ChainWorld(folder, genesis, backend_named(backend))
        self._keys: dict[str, PrivateKey] = {}
        self._nonces: dict[str, int] = {}

    def close(self) -> None:
        """Close the database."""
        self._world.close()

    @property
    def height(self) -> int:
        """Return the height of the newest block."""
        return self._world.chain.head.block_number

    def register_model(self, name: str) -> bytes:
        """Bring a model of the package to ACTIVE and return its id."""
        return self._world.register_model(name)

    def address(self, person: str) -> bytes:
        """Return somebody's address; a purse comes with the first mention."""
        if person not in self._keys:
            self._keys[person] = PrivateKey(keccak256(b"TEST " + person.encode()))
            self._nonces[person] = 0
            self._give(address_of(self._keys[person]))
        return address_of(self._keys[person])

    def deploy(self, person: str, name: str, *arguments: Any) -> "Deployed":
        """Create a contract of the package."""
        address = creation_address(self.address(person), self._nonces[person])
        self._send(person, None, ContractAbi(name).creation(*arguments), 0)
        return Deployed(self, ContractAbi(name), address)

    def send(self, person: str, to: bytes, data: bytes, value: int = 0) -> Sent:
        """Send a transaction in a block of its own; raises `TransactionFailed`."""
        self.address(person)
        return self._send(person, to, data, value)

    def call(self, sender: bytes, to: bytes, data: bytes, value: int = 0) -> MessageResult:
        """Return what a message would do on the newest block."""
        chain = self._world.chain
        message = SimulatedTransaction(sender, to, CALL_GAS, 0, value, data)
        return call_message(chain.execution, chain.head, message)

    def balance(self, address: bytes) -> int:
        """Return an account's wei."""
        with self._world.chain.state_at(self._world.chain.head) as state:
            account = state.account(address)
        return 0 if account is None else account.balance

    def skip_to(self, height: int) -> None:
        """Make empty blocks up to a height."""
        while self.height < height:
            self._world.propose()

    def _give(self, address: bytes) -> None:
        world = self._world
        raw = signed(USER, world.nonce, to=address, value=PURSE_WEI, gas=TRANSFER_GAS)
        world.propose([raw])
        world.nonce += 1

    def _send(self, person: str, to: bytes | None, data: bytes, value: int) -> Sent:
        raw = signed(
            self._keys[person], self._nonces[person], to=to, data=data, value=value, gas=GAS
        )
        checked, left_out = self._world.propose([raw])
        if left_out:
            raise TransactionFailed(f"{person}: {left_out[0][1]}")
        self._nonces[person] += 1
        (receipt,) = checked.executed.receipts
        if receipt.status != 1:
            raise TransactionFailed(f"{person}: the transaction reverted")
        return Sent(receipt.cumulative_gas_used, tuple(receipt.logs))


@dataclass(frozen=True, slots=True)
class Deployed:
    """A contract on the chain, called by the names of its ABI."""

    chain: DevChain
    abi: ContractAbi
    address: bytes

    def send(self, person: str, function: str, *arguments: Any, value: int = 0) -> Sent:
        """Send a transaction; raises `TransactionFailed`."""
        data = self.abi.calldata(function, *arguments)
        return self.chain.send(person, self.address, data, value)

    def view(self, function: str, *arguments: Any) -> Any:
        """Return what a view returns; a single value stands alone."""
        result = self._call(NOBODY, function, *arguments)
        if result.error is not None:
            raise TransactionFailed(f"{result.error}: 0x{result.output.hex()}")
        return self.abi.result(function, result.output)

    def refusal(self, person: str, function: str, *arguments: Any, value: int = 0) -> str:
        """Return the error that a transaction would revert with; raises `NotRefused`."""
        result = self._call(self.chain.address(person), function, *arguments, value=value)
        if result.error is None:
            raise NotRefused(function)
        return self.abi.error_name(result.output) or result.error

    def _call(self, sender: bytes, function: str, *arguments: Any, value: int = 0) -> MessageResult:
        data = self.abi.calldata(function, *arguments)
        return self.chain.call(sender, self.address, data, value)

    def event(self, sent: Sent, name: str) -> tuple[Any, ...]:
        """Return the arguments of the first event of that name; raises `TransactionFailed`."""
        topic = self.abi.event_topic(name)
        for log in sent.logs:
            if log.address == self.address and log.topics[0] == topic:
                return self.abi.event(name, log.topics, log.data)
        raise TransactionFailed(f"no event {name}")


@contextmanager
def dev_chain(backend: str = "cpu") -> Iterator[DevChain]:
    """Open a new chain in a temporary folder."""
    with TemporaryDirectory(prefix="cvm-example-") as folder:
        chain = DevChain(Path(folder), backend)
        try:
            yield chain
        finally:
            chain.close()
