"""What a block leaves of accounts that went during it, and came back."""

import pytest

from cvm.evm.forks import SHANGHAI
from cvm.evm.keccak import keccak256
from cvm.evm.state_committer import StateCommitter
from cvm.evm.state_reader import EMPTY_TRIE_ROOT
from tests.unit.evm.block_world import BlockWorld
from tests.unit.evm.signing import raw
from tests.unit.evm.state_changes import no_node

FACTORY = b"\xfa" * 20
GOES_AT_ONCE = bytes.fromhex("33ff")  # SELFDESTRUCT to the caller
CREATES_IT = bytes.fromhex("6133ff5f525f6002601e5ff500")  # CREATE2 of that, with salt 0
DEPLOYS_IT = bytes.fromhex("6133ff5f526002601ef3")  # returns that as the code


def made_by_factory(initcode: bytes) -> bytes:
    return keccak256(b"\xff" + FACTORY + bytes(32) + keccak256(initcode))[12:]


def new_root(world: BlockWorld) -> tuple[bytes, bytes]:
    """Return the root of a block's parent and the block's own."""
    committer = StateCommitter(no_node)
    parent = committer.commit(EMPTY_TRIE_ROOT, world.state.changes()).root
    changes = world.execution.finish().changes
    return parent, committer.commit(parent, changes).root


@pytest.mark.usefixtures("interpreter")
@pytest.mark.parametrize("given_back", [5, 6], ids=["as it was", "richer"])
def test_an_account_that_went_and_came_back_can_be_committed(given_back: int) -> None:
    """EIP-6780: what a transaction creates and destroys goes, with the wei that it had before."""
    address = made_by_factory(GOES_AT_ONCE)
    world = BlockWorld({FACTORY: CREATES_IT})
    world.state.put(address, balance=5)
    assert world.apply(raw(to=FACTORY, gas=200_000)).error is None
    assert not world.exists(address)
    assert world.apply(raw(nonce=1, to=address, value=given_back)).error is None
    parent, root = new_root(world)
    assert root != parent
    assert world.balance(address) == given_back


@pytest.mark.usefixtures("interpreter")
def test_before_cancun_a_contract_that_was_destroyed_and_made_again_can_be_committed() -> None:
    """The contract of the parent's state has no storage, so that it ends as it began."""
    address = made_by_factory(DEPLOYS_IT)
    offset = 32 - len(DEPLOYS_IT)
    factory = bytes([0x5F + len(DEPLOYS_IT)]) + DEPLOYS_IT
    factory += bytes.fromhex("5f525f60") + bytes([len(DEPLOYS_IT), 0x60, offset])
    factory += bytes.fromhex("5ff500")
    world = BlockWorld({FACTORY: factory, address: GOES_AT_ONCE}, fork=SHANGHAI)
    assert world.apply(raw(to=address, gas=200_000)).error is None
    assert not world.exists(address)
    assert world.apply(raw(nonce=1, to=FACTORY, gas=200_000)).error is None
    assert world.code(address) == GOES_AT_ONCE
    parent, root = new_root(world)
    assert root != parent
