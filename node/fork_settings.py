"""A fork's rules as eth_config tells them (EIP-7910)."""

from cvm.evm.block_requests import CONSOLIDATION, DEPOSIT_CONTRACT, REQUEST_CONTRACTS, WITHDRAWAL
from cvm.evm.forks import Fork
from cvm.evm.precompiles.table import precompiles
from cvm.evm.system_calls import BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS
from node.rpc.node_facts import ForkSettings

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

BEACON_ROOTS = {"BEACON_ROOTS_ADDRESS": BEACON_ROOTS_ADDRESS}
SYSTEM_CONTRACTS = {
    **BEACON_ROOTS,
    "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS": dict(REQUEST_CONTRACTS)[CONSOLIDATION],
    "DEPOSIT_CONTRACT_ADDRESS": DEPOSIT_CONTRACT,
    "HISTORY_STORAGE_ADDRESS": HISTORY_STORAGE_ADDRESS,
    "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS": dict(REQUEST_CONTRACTS)[WITHDRAWAL],
}
"""Those that EIP-7910 names: the first since Cancun, all of them since Prague."""


def fork_settings(
    fork: Fork,
    chain_id: int,
    activation_time: int,
    fork_id: bytes,
    system_contracts: dict[str, bytes],
) -> ForkSettings:
    """Return the configuration of a fork of Cancun or later."""
    return ForkSettings(
        activation_time=activation_time,
        chain_id=chain_id,
        fork_id=fork_id,
        blob_base_fee_fraction=fork.blob_base_fee_fraction,
        max_blobs=fork.max_blobs,
        target_blobs=fork.target_blobs,
        precompiles={
            PRECOMPILE_NAMES[int.from_bytes(address, "big")]: address
            for address in precompiles(fork)
        },
        system_contracts=system_contracts,
    )
