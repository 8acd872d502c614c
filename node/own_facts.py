"""What a node of our own chain tells of itself over JSON-RPC."""

from collections.abc import Sequence

from cvm.evm.block_requests import CONSOLIDATION, DEPOSIT_CONTRACT, REQUEST_CONTRACTS, WITHDRAWAL
from cvm.evm.forks import OSAKA
from cvm.evm.precompiles.table import precompiles
from cvm.evm.system_calls import BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS
from cvm.inference.backends.table import BACKEND_NAMES
from node.block_writer import BlockWriter
from node.chain import Chain
from node.p2p.eth_database_view import view_of_chain
from node.rpc.chain_view import BlockView
from node.rpc.node_facts import BackendFact, BadBlock, ForkPlan, ForkSettings, Retention

PRECOMPILE_NAMES = {
    0x01: "ECREC",
    0x02: "SHA256",
    0x03: "RIPEMD160",
    0x04: "ID",
    0x05: "MODEXP",
    0x06: "BN254_ADD",
    0x07: "BN254_MUL",
    0x08: "BN254_PAIRING",
    0x09: "BLAKE2F",
    0x0A: "KZG_POINT_EVALUATION",
    0x0B: "BLS12_G1ADD",
    0x0C: "BLS12_G1MSM",
    0x0D: "BLS12_G2ADD",
    0x0E: "BLS12_G2MSM",
    0x0F: "BLS12_PAIRING_CHECK",
    0x10: "BLS12_MAP_FP_TO_G1",
    0x11: "BLS12_MAP_FP2_TO_G2",
    0x100: "P256VERIFY",
}
"""As EIP-7910 and the EIPs that it names write them."""

SYSTEM_CONTRACTS = {
    "BEACON_ROOTS_ADDRESS": BEACON_ROOTS_ADDRESS,
    "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS": dict(REQUEST_CONTRACTS)[CONSOLIDATION],
    "DEPOSIT_CONTRACT_ADDRESS": DEPOSIT_CONTRACT,
    "HISTORY_STORAGE_ADDRESS": HISTORY_STORAGE_ADDRESS,
    "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS": dict(REQUEST_CONTRACTS)[WITHDRAWAL],
}
"""Those that EIP-7910 names; a chain has the ones of its genesis."""


class OwnFacts:
    """See `node_facts.NodeFacts`."""

    def __init__(self, chain: Chain, writer: BlockWriter, coinbase: bytes | None) -> None:
        self._chain = chain
        self._writer = writer
        self._coinbase = coinbase

    def fork_plan(self) -> ForkPlan:
        """Return the rules of the chain: one configuration since genesis, and none planned."""
        chain = self._chain
        forks = view_of_chain(chain.database).identity.forks
        deployed = {address for address, _account in chain.genesis.alloc}
        return ForkPlan(
            ForkSettings(
                activation_time=0,
                chain_id=chain.parameters.chain_id,
                fork_id=forks.at(chain.head.block_number, chain.head.timestamp).hash,
                blob_base_fee_fraction=OSAKA.blob_base_fee_fraction,
                max_blobs=OSAKA.max_blobs,
                target_blobs=OSAKA.target_blobs,
                precompiles={
                    PRECOMPILE_NAMES[int.from_bytes(address, "big")]: address
                    for address in precompiles(OSAKA)
                },
                system_contracts={
                    name: address
                    for name, address in SYSTEM_CONTRACTS.items()
                    if address in deployed
                },
            )
        )

    def retention(self) -> Retention:
        """Return how far back this node answers: from genesis, a snapshot, or a window."""
        database = self._chain.database
        start = database.start_height()
        window = database.kept_blocks()
        oldest = start + 1 if start else 0
        if window is None:
            return Retention(oldest, start)
        newest_dropped = self._chain.head.block_number - window
        return Retention(oldest, max(start, newest_dropped + 1), window)

    def coinbase(self) -> bytes | None:
        """Return the validator's address."""
        return self._coinbase

    def bad_blocks(self) -> Sequence[BadBlock]:
        """Return the last blocks that were refused, oldest first."""
        found = []
        for block in tuple(self._writer.bad_blocks):
            rlp = block.encode()
            view = BlockView(block.header, block.transactions, block.withdrawals, len(rlp))
            found.append(BadBlock(view, rlp))
        return found

    def backends(self) -> Sequence[BackendFact]:
        """Return the backends of this program; the definition takes over from a wrong one."""
        host = self._chain.host
        return [
            BackendFact(name, name == host.backend_name, name == host.quarantined)
            for name in BACKEND_NAMES
        ]
