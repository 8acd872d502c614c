"""What many slots and accounts of a block cost this machine stays in proportion to their gas."""

from runpy import run_path
from time import process_time

from cvm.evm import table_secret
from cvm.evm.keccak import keccak256
from cvm.evm.live_account import LiveAccount
from cvm.evm.native import layout as at
from cvm.evm.native.machine_memory import MachineMemory
from cvm.evm.state_committer import StateCommitter
from cvm.evm.state_reader import EMPTY_TRIE_ROOT, Account, StateChanges
from cvm.evm.table_secret import TABLE_SECRET
from cvm.evm.world_state import WorldState
from tests.unit.evm.block_world import BlockWorld
from tests.unit.evm.state_changes import no_node

LIMB = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
OWNER = b"\x01" * 20
SLOTS = 30_000


def new_world() -> WorldState:
    world = BlockWorld().execution.world
    world.begin_transaction()
    return world


def colliding_keys(account: LiveAccount, count: int) -> list[int]:
    """Return keys with the same value of a Fibonacci hash over their limbs, which has no secret."""
    keys = []
    for low in range(count):
        value = (low ^ (account.number + at.TRANSIENT)) * GOLDEN & LIMB
        value = (value ^ value >> 29) * GOLDEN & LIMB
        value = (value ^ value >> 31) * GOLDEN & LIMB
        keys.append(low | (value ^ value >> 30) << 192)
    return keys


def lookup_s(keys: list[int], world: WorldState, account: LiveAccount) -> float:
    """Return the processor time of 1,000 reads of the last key, once all are there."""
    for key in keys:
        world.slots.transient(account, key)
    best = float("inf")
    for _ in range(3):
        start = process_time()
        for _ in range(1_000):
            world.slots.transient(account, keys[-1])
        best = min(best, process_time() - start)
    return best


def test_keys_that_are_made_to_collide_are_found_as_fast_as_others() -> None:
    """Searching past 30,000 slots would take 40 us for the 100 gas of a TLOAD."""
    crowded, plain = new_world(), new_world()
    theirs, ours = crowded.account(OWNER), plain.account(OWNER)
    usual = lookup_s(list(range(SLOTS)), plain, ours)
    assert lookup_s(colliding_keys(theirs, SLOTS), crowded, theirs) < 8 * usual


def test_every_process_draws_keys_of_its_own_for_all_its_tables() -> None:
    drawn = slice(at.HASH_KEYS, at.HASH_KEYS + at.HASH_KEY_COUNT)
    assert MachineMemory().registers[drawn].tobytes() == TABLE_SECRET
    other_processes = [run_path(table_secret.__file__)["TABLE_SECRET"] for _ in range(2)]
    assert len({TABLE_SECRET, *other_processes}) == 3


def removal_s(slots: int) -> float:
    """Return the processor time of removing 1,000 empty accounts beside so many slots."""
    world = new_world()
    account = world.account(OWNER)
    for key in range(slots):
        world.slots.transient(account, key)
    for number in range(1_000):
        world.touch(world.account(keccak256(number.to_bytes(2, "big"))[:20]))
    start = process_time()
    world.end_transaction()
    return process_time() - start


def test_an_account_goes_without_a_look_at_the_slots_of_others() -> None:
    """Touching an empty account costs 2,600 gas, a slot 100: each for each would be quadratic."""
    few = min(removal_s(10) for _ in range(3))
    assert min(removal_s(100_000) for _ in range(3)) < 4 * few


def test_the_slots_of_an_account_that_goes_are_zero() -> None:
    world = new_world()
    owner, other = world.account(OWNER), world.account(b"\x02" * 20)
    world.set_balance(other, 1)
    for key in (0, 5, 1 << 255):
        world.set_storage(owner, key, 7)
        world.set_storage(other, key, 8)
    world.destroy(owner)
    world.end_transaction()
    world.begin_transaction()
    assert [world.storage(owner, key) for key in (0, 5, 1 << 255, 6)] == [0, 0, 0, 0]
    assert [world.storage(other, key) for key in (0, 5, 1 << 255)] == [8, 8, 8]


def test_hashes_of_slots_that_python_would_take_for_equal_are_found_at_once() -> None:
    """Python hashes an integer modulo 2**61 - 1; 8,000 of one residue took 32 million steps."""

    def commit_s(step: int) -> float:
        committer = StateCommitter(no_node)
        storage = {OWNER: {7 + step * number: 1 for number in range(8_000)}}
        changes = StateChanges({OWNER: Account(nonce=1)}, storage, frozenset(), {})
        start = process_time()
        committer.commit(EMPTY_TRIE_ROOT, changes)
        return process_time() - start

    commit_s(1)
    assert min(commit_s(2**61 - 1) for _ in range(2)) < 3 * min(commit_s(3) for _ in range(2))
