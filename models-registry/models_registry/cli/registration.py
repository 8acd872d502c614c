"""Brings a model from a file to ACTIVE, from wherever an earlier run stopped.

Nothing is kept between runs: every step is found again from the chain and the node. The salt of
the commitment follows from the key and the model, so a later run opens the same commitment, and
nobody without the key can guess what it hides.
"""

import hmac
from dataclasses import dataclass, field

from models_registry.chunks import model_id
from models_registry.cli.amounts import ether_text
from models_registry.cli.attested import Attested, ModelRefusedByValidators, read_attested
from models_registry.cli.chain_client import ChainClient, RegistrationPrice
from models_registry.cli.node_client import NodeClient, NodeStatus
from models_registry.cli.pushing import push_chunks
from models_registry.cli.sending import ChainSaysNo, Sender
from models_registry.registry_calls import (
    commitment,
    encode_activate,
    encode_commit,
    encode_expire,
    encode_register,
)

COMMIT_BLOCKS = 2
SALT_DOMAIN = b"cvm model register: salt of the commitment"

COMMIT_GAS = 70_000
REGISTER_GAS = 330_000
ACTIVATE_GAS = 250_000
URI_WORD_GAS = 23_000
"""What the three transactions use at most with one validator, and what each 32 bytes of a uri add
(SSTORE of a new slot, EIP-2929, and calldata); for telling a person beforehand, since `register`
and `activate` cannot be estimated before their turn."""


class NotEnoughEther(ChainSaysNo):
    """The account cannot pay for the registration."""

    def __init__(self, address: bytes, balance: int, needed: int) -> None:
        super().__init__(
            f"account 0x{address.hex()} has {ether_text(balance)}, the registration costs "
            f"{ether_text(needed)} and gas"
        )
        self.balance = balance
        self.needed = needed


@dataclass(frozen=True, slots=True)
class RegistrationCost:
    """What is still to be paid until a model is ACTIVE; `gas_wei` is at today's price."""

    price: RegistrationPrice
    gas: int
    gas_wei: int

    def text(self) -> str:
        """Return the cost as a person reads it."""
        return (
            f"registering costs {ether_text(self.price.total)} and gas: a deposit of "
            f"{ether_text(self.price.deposit)}, given back when the model expires or retires, a "
            f"fee of {ether_text(self.price.fee)}, burned, and about {self.gas:,} gas "
            f"({ether_text(self.gas_wei)} now)"
        )


@dataclass(slots=True)
class Registration:
    """One model on its way to ACTIVE."""

    node: NodeClient
    sender: Sender
    data: bytes
    uri: str
    royalty_gas: int
    identity: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.identity = model_id(self.data)

    @property
    def _chain(self) -> ChainClient:
        return self.sender.chain

    def cost(self) -> RegistrationCost | None:
        """Return what a registration would cost now, None where there is one already.

        Raises `NotEnoughEther` or `ClientFault`.
        """
        if self._is_registered():
            return None
        chain, address = self._chain, self.sender.address
        price = chain.registration_price(len(self.data))
        balance = chain.balance(address)
        if balance < price.total:
            raise NotEnoughEther(address, balance, price.total)
        gas = REGISTER_GAS + ACTIVATE_GAS + URI_WORD_GAS * (len(self.uri.encode()) // 32)
        if not chain.committed_at(self._commitment()):
            gas += COMMIT_GAS
        return RegistrationCost(price, gas, gas * chain.gas_price())

    def run(self) -> None:
        """Do whatever is still to do; raises `ChainSaysNo` or `ClientFault`."""
        self.sender.settle()
        push_chunks(self.node, self.data, self.sender.progress)
        if self._is_registered():
            self._note_registered()
        else:
            self._commit_and_register()
        if not self._status().activation_height:
            self._activate()
        self._wait_until_active()

    def _status(self) -> NodeStatus:
        return self.node.status(self.identity, len(self.data))

    def _is_registered(self) -> bool:
        """Tell whether the model is ACTIVE, or PENDING and in time to become so."""
        status = self._status()
        if status.status == "pending":
            return status.activation_height > 0 or not self._is_overdue()
        return status.status == "active"

    def _is_overdue(self) -> bool:
        chain = self._chain
        return chain.height() >= chain.model(self.identity).registered_at + chain.deadline()

    def _note_registered(self) -> None:
        owner = self._chain.model(self.identity).owner
        theirs = "" if owner == self.sender.address else f", by 0x{owner.hex()}, who owns it"
        self.sender.progress.note(f"already registered{theirs}")

    def _commit_and_register(self) -> None:
        sender, chain = self.sender, self._chain
        if self._status().status == "pending":
            sender.send("expire", encode_expire(self.identity))
        hidden = self._commitment()
        height = chain.committed_at(hidden)
        if height == 0:
            sender.send("commit", encode_commit(hidden))
            height = chain.committed_at(hidden)
        earliest = height + COMMIT_BLOCKS
        sender.until(f"block {earliest}", lambda: chain.height() >= earliest)
        call = encode_register(
            self.identity, len(self.data), self.royalty_gas, self.uri, self._salt()
        )
        sender.send("register", call, chain.registration_price(len(self.data)).total)

    def _salt(self) -> bytes:
        return hmac.digest(self.sender.key.to_bytes(), SALT_DOMAIN + self.identity, "sha256")

    def _commitment(self) -> bytes:
        return commitment(self.identity, self.sender.address, self._salt())

    def _activate(self) -> None:
        found: list[Attested] = []

        def is_attested() -> bool:
            attested = self._attested()
            if attested.is_enough:
                found.append(attested)
            return attested.is_enough

        self.sender.until("attestations of more than 2/3 of the validators", is_attested)
        (attested,) = found
        call = encode_activate(self.identity, attested.record or b"", attested.signatures)
        self.sender.send("activate", call)

    def _attested(self) -> Attested:
        status = self._status()
        if status.refusal is not None:
            raise ModelRefusedByValidators(status.refusal)
        nonce = self._chain.model(self.identity).nonce
        return read_attested(self._chain, self.identity, nonce, status)

    def _wait_until_active(self) -> None:
        """Wait for the block itself, since a call runs in the newest block and not in the next."""
        height = self._status().activation_height
        self.sender.progress.note(f"active from block {height}")
        self.sender.until(f"block {height}", lambda: self._chain.height() >= height)
