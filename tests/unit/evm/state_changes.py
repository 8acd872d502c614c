"""Random blocks as state changes, and the state that they should leave, in plain dictionaries."""

from random import Random

from cvm.evm.keccak import keccak256
from cvm.evm.state_reader import Account, StateChanges

ADDRESSES = [keccak256(bytes((number,)))[:20] for number in range(24)]


def no_node(_node_hash: bytes) -> None:
    """Read an empty store of nodes."""


class Model:
    """The state as dictionaries; accounts without their storage roots."""

    def __init__(self) -> None:
        self.accounts: dict[bytes, Account] = {}
        self.storage: dict[tuple[bytes, int], int] = {}

    def apply(self, changes: StateChanges) -> None:
        gone = {address for address, account in changes.accounts.items() if account is None}
        for address in gone | changes.cleared:
            self.storage = {key: v for key, v in self.storage.items() if key[0] != address}
        for address, account in changes.accounts.items():
            if account is None:
                self.accounts.pop(address, None)
            else:
                self.accounts[address] = account
        for address, slots in changes.storage.items():
            for slot, value in slots.items():
                self.storage[address, slot] = value
        self.storage = {key: value for key, value in self.storage.items() if value}


def random_changes(random: Random, blocks: int) -> list[StateChanges]:
    """Return what some blocks leave: accounts that come and go, storage shared and cleared."""
    result = []
    for _ in range(blocks):
        touched = random.sample(ADDRESSES, random.randrange(0, 8))
        accounts: dict[bytes, Account | None] = {}
        storage: dict[bytes, dict[int, int]] = {}
        codes: dict[bytes, bytes] = {}
        cleared = set()
        for address in touched:
            if random.random() < 0.15:
                accounts[address] = None
                continue
            code = random.choice([b"", b"\x60\x01", b"\x60\x02"])
            codes |= {keccak256(code): code} if code else {}
            accounts[address] = Account(
                random.randrange(3), random.choice([0, 127, 128, 10**18]), code_hash=keccak256(code)
            )
            if random.random() < 0.15:
                cleared.add(address)
            if random.random() < 0.6:
                storage[address] = {
                    random.choice([0, 1, 2, 2**255]): random.choice([0, 0, 1, 200, 2**256 - 1])
                    for _ in range(random.randrange(1, 4))
                }
        result.append(StateChanges(accounts, storage, frozenset(cleared), codes))
    return result
