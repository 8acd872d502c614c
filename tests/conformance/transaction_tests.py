"""Transaction tests: which bytes are a transaction, whose, and at what gas."""

from dataclasses import dataclass
from typing import Any

from cvm.evm.faults import InvalidTransaction
from cvm.evm.forks import CANCUN, PARIS, SHANGHAI
from cvm.evm.message_rules import Interpreter
from cvm.evm.state_reader import Account
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_decoding import decode_transaction
from cvm.evm.transaction_gas import intrinsic_gas
from cvm.evm.transaction_rules import BlockRoom, ChainRules, validate_transaction
from tests.conformance.outcomes import Outcome, outcome

FORKS = {"Paris": PARIS, "Shanghai": SHANGHAI, "Cancun": CANCUN}
ROOM = BlockRoom(base_fee=0, gas_left=2**64)
MAX_BALANCE = 2**256 - 1


def judge_transaction_tests(
    path: str, document: dict[str, Any], interpreter: type[Interpreter]
) -> list[Outcome]:
    """Judge the transactions of one file at each of our forks that it names."""
    return [
        outcome(f"{path}::{name} at {fork}", disagreement(test, fork))
        for name, test in document.items()
        for fork in FORKS
        if fork in test["result"]
    ]


@dataclass(frozen=True, slots=True)
class RichSender:
    """A state in which every account has the value, 2**256 - 1 wei for gas, and the right nonce.

    The suite refuses a price of gas that no account can hold, but not such a value.
    """

    tx: Transaction

    def account(self, address: bytes) -> Account:
        return Account(nonce=self.tx.nonce, balance=MAX_BALANCE + self.tx.value)

    def storage(self, address: bytes, slot: int) -> int:
        return 0

    def code(self, code_hash: bytes) -> bytes:
        return b""


def judge(raw: bytes, fork_name: str) -> Transaction | None:
    """Return a valid transaction, None for another."""
    fork = FORKS[fork_name]
    try:
        tx = decode_transaction(raw)
        validate_transaction(tx, RichSender(tx), ChainRules(1, fork), ROOM)
    except InvalidTransaction:
        return None
    return tx


def disagreement(test: dict[str, Any], fork_name: str) -> str | None:
    """Return how our judgement differs from the expected one."""
    expected = test["result"][fork_name]
    tx = judge(bytes.fromhex(test["txbytes"].removeprefix("0x")), fork_name)
    if "exception" in expected:
        return None if tx is None else f"accepted, against {expected['exception']}"
    if tx is None:
        return "refused"
    found = {
        "hash": "0x" + tx.hash.hex(),
        "sender": "0x" + tx.sender.hex(),
        "intrinsicGas": intrinsic_gas(tx, FORKS[fork_name]),
    }
    wanted = expected | {"intrinsicGas": int(expected["intrinsicGas"], 16)}
    return None if found == wanted else f"{found}, not {wanted}"
