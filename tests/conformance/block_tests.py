"""Block tests: a chain that starts from a listed state, with valid and with wrong blocks."""

from dataclasses import replace
from typing import Any

from consensus.ethereum.ethereum_block import decode_ethereum_block
from consensus.ethereum.ethereum_chain import EthereumChain
from consensus.ethereum.ethereum_forks import (
    EthereumForks,
    ForkPoint,
    one_fork,
    with_blob_numbers,
)
from consensus.ethereum.faults import UnknownParent, UnsupportedFork
from consensus.ethereum.historic_forks import (
    ARROW_GLACIER,
    BERLIN,
    BYZANTIUM,
    CONSTANTINOPLE,
    FRONTIER,
    HOMESTEAD,
    ISTANBUL,
    LONDON,
    PETERSBURG,
    SPURIOUS_DRAGON,
    TANGERINE_WHISTLE,
)
from consensus.faults import InvalidBlock
from cvm.evm.forks import CANCUN, OSAKA, PARIS, PRAGUE, SHANGHAI, Fork
from cvm.evm.header import BlockHeader
from cvm.evm.message_rules import Interpreter
from tests.conformance.expected_faults import wrong_reason
from tests.conformance.memory_states import ListedState, MemoryStore, changes_of, data_of, number
from tests.conformance.outcomes import SKIPPED, Outcome, outcome

FORKS = {
    "Paris": PARIS,
    "Shanghai": SHANGHAI,
    "Cancun": CANCUN,
    "Prague": PRAGUE,
    "Osaka": OSAKA,
}
HISTORIC_FORKS = {
    "Frontier": FRONTIER,
    "Homestead": HOMESTEAD,
    "EIP150": TANGERINE_WHISTLE,
    "EIP158": SPURIOUS_DRAGON,
    "Byzantium": BYZANTIUM,
    "Constantinople": CONSTANTINOPLE,
    "ConstantinopleFix": PETERSBURG,
    "Istanbul": ISTANBUL,
    "Berlin": BERLIN,
    "London": LONDON,
}
HISTORIC_TRANSITIONS = {
    "FrontierToHomesteadAt5": (FRONTIER, HOMESTEAD),
    "HomesteadToDaoAt5": (HOMESTEAD, HOMESTEAD),
    "HomesteadToEIP150At5": (HOMESTEAD, TANGERINE_WHISTLE),
    "EIP158ToByzantiumAt5": (SPURIOUS_DRAGON, BYZANTIUM),
    "ByzantiumToConstantinopleFixAt5": (BYZANTIUM, PETERSBURG),
    "BerlinToLondonAt5": (BERLIN, LONDON),
}
MERGES = {"ArrowGlacierToParisAtDiffC0000": (ARROW_GLACIER, 0xC0000)}
"""Networks that end proof of work where so much of it has been done."""

TRANSITION_HEIGHT = 5
DAO_TRANSITION = "HomesteadToDaoAt5"
TRANSITIONS = {
    "ParisToShanghaiAtTime15k": ("Paris", "Shanghai"),
    "ShanghaiToCancunAtTime15k": ("Shanghai", "Cancun"),
    "CancunToPragueAtTime15k": ("Cancun", "Prague"),
    "PragueToOsakaAtTime15k": ("Prague", "Osaka"),
}
TRANSITION_TIME_S = 15_000
CHAIN_ID = 1


def judge_block_tests(
    path: str, document: dict[str, Any], interpreter: type[Interpreter]
) -> list[Outcome]:
    """Judge the chains of one file; those of forks that are not here are skipped."""
    outcomes = []
    for name, test in document.items():
        label = f"{path}::{name.rpartition('::')[2]}"
        forks = forks_of(test)
        if forks is None:
            reason = f"{test['network']}: no network of this name is known here"
            outcomes.append(Outcome(label, SKIPPED, reason))
        else:
            outcomes.append(outcome(label, fault_of(test, forks, interpreter)))
    return outcomes


def forks_of(test: dict[str, Any]) -> EthereumForks | None:
    """Return the forks of a test's network, None where they are not here."""
    network, config = test["network"], test.get("config", {})
    chain_id = number(config.get("chainid")) or CHAIN_ID
    schedule = config.get("blobSchedule", {})

    def fork(name: str) -> Fork:
        return with_blob_numbers(FORKS[name], schedule.get(name), FORKS[name])

    if network in FORKS:
        return one_fork(chain_id, fork(network))
    if network in HISTORIC_FORKS:
        return one_fork(chain_id, HISTORIC_FORKS[network])
    if network in HISTORIC_TRANSITIONS:
        return historic_transition(chain_id, network)
    if network in MERGES:
        before_merge, terminal = MERGES[network]
        return replace(one_fork(chain_id, before_merge), terminal_total_difficulty=terminal)
    if network not in TRANSITIONS:
        return None
    before, after = map(fork, TRANSITIONS[network])
    points = (ForkPoint(0, before.name, before),)
    return EthereumForks(chain_id, points, (ForkPoint(TRANSITION_TIME_S, after.name, after),))


def historic_transition(chain_id: int, network: str) -> EthereumForks:
    """Return the forks of a network that changes its rules at block 5."""
    before, after = HISTORIC_TRANSITIONS[network]
    points = (
        ForkPoint(0, before.name, before),
        ForkPoint(TRANSITION_HEIGHT, after.name, after),
    )
    dao_block = TRANSITION_HEIGHT if network == DAO_TRANSITION else None
    return EthereumForks(chain_id, points, dao_block=dao_block)


def fault_of(
    test: dict[str, Any], forks: EthereumForks, interpreter: type[Interpreter]
) -> str | None:
    """Return what is wrong with our import of a chain, or None."""
    store = MemoryStore()
    genesis = decode_ethereum_block(data_of(test["genesisRLP"])).header
    root = store.start(genesis, changes_of(test["pre"]))
    if root != genesis.state_root:
        return f"the state of block 0 is {root.hex()}, not {genesis.state_root.hex()}"
    chain = EthereumChain(forks, store, genesis, interpreter)
    heaviest = HeaviestChain(genesis)
    for place, entry in enumerate(test["blocks"]):
        fault = fault_of_block(chain, entry)
        if fault is not None:
            return f"block {place}: {fault}"
        heaviest.see(chain.head)
    if heaviest.head.hash != data_of(test["lastblockhash"]):
        return f"the last hash is {heaviest.head.hash.hex()}, not {test['lastblockhash']}"
    return fault_of_state(test, heaviest.head.state_root)


class HeaviestChain:
    """Which imported block is the last of a test: the heaviest chain's (Yellow Paper 10).

    Where nothing has a difficulty, the newest block.
    """

    def __init__(self, genesis: BlockHeader) -> None:
        self.head = genesis
        self._totals = {genesis.hash: genesis.difficulty}

    def see(self, header: BlockHeader) -> None:
        """Take a block that was imported, or the one before it again."""
        total = self._totals.get(header.parent_hash, 0) + header.difficulty
        self._totals.setdefault(header.hash, total)
        if not header.difficulty or total > self._totals[self.head.hash]:
            self.head = header


def fault_of_block(chain: EthereumChain, entry: dict[str, Any]) -> str | None:
    """Import one block; return what is wrong with how it went, or None."""
    expected = entry.get("expectException")
    before = chain.head
    try:
        raw = data_of(entry["rlp"])
        checked = chain.import_block(raw)
    except (InvalidBlock, UnknownParent, UnsupportedFork) as fault:
        if chain.head is not before:
            return "a refused block became the head"
        return f"refused: {fault}" if expected is None else wrong_reason(expected, fault)
    if expected is not None:
        return f"accepted, not refused for {expected}"
    if checked.block.encode() != raw:
        return "the block is encoded differently"
    return None


def fault_of_state(test: dict[str, Any], root: bytes) -> str | None:
    """Compare the last state with the one that a test lists or names."""
    if "postState" in test:
        wanted = ListedState(test["postState"]).root
    else:
        wanted = data_of(test["postStateHash"])
    return None if root == wanted else f"the last state is {root.hex()}, not {wanted.hex()}"
