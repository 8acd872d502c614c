"""Records the chain that `test_recorded_chain.py` replays: `python -m tests.vectors.chain.record`.

Nothing in it is drawn or read from a clock, so that two recordings on the same code are the
same bytes. When to record again, the test's docstring says.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from node.chain_archive import export_chain
from node.demo_contract import classify_data
from node.sample_models import sample_model_path
from opcodes.table import INFER_ADDRESS
from tests.chain_world import (
    CHAIN_ID,
    FEE_CAP,
    STRANGER,
    USER,
    ChainWorld,
    address_of,
    genesis_document,
    signed,
)
from tests.unit.evm.signing import authorization, raw

FOLDER = Path(__file__).parent
ARCHIVE = FOLDER / "digits.cvm"
GENESIS = FOLDER / "genesis.json"
RECIPIENT = b"\xee" * 20
ETHER = 10**18
ROYALTY_GAS = 400


def image(index: int) -> bytes:
    """Return one of the bundled digits."""
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    return bytes(images[index].tobytes())


def fill(world: ChainWorld) -> None:
    """Make the blocks: a model, a contract, classifications, transfers of every type, failures."""
    model_id = world.register_model(royalty_gas=ROYALTY_GAS)
    contract = world.deploy_classifier(model_id)
    for index in range(3):
        world.classify(contract, image(index))
    next_nonce = world.nonce
    batch = model_id + b"".join(image(index) for index in range(10, 14))
    several = [
        signed(USER, next_nonce, to=contract, data=classify_data(image(3))),
        signed(USER, next_nonce + 1, to=INFER_ADDRESS, data=batch),
        signed(USER, next_nonce + 2, to=contract, data=classify_data(b"no image")),
        signed(USER, next_nonce + 3, to=INFER_ADDRESS, data=model_id + image(4)[:-1]),
        signed(USER, next_nonce + 4, to=contract, data=classify_data(image(5)), gas=40_000),
        signed(USER, next_nonce + 5, to=address_of(STRANGER), value=ETHER, gas=21_000),
    ]
    propose(world, several, failures=3)
    propose(world, transfers_of_every_type(next_nonce + 6))
    propose(world, [])
    propose(world, [signed(STRANGER, 1, to=RECIPIENT, value=7, gas=21_000, tip=10**9)])


def transfers_of_every_type(nonce: int) -> list[bytes]:
    """Return a legacy, an access list, a dynamic fee and a delegating transaction."""
    delegation = authorization(STRANGER, RECIPIENT, nonce=0, chain_id=CHAIN_ID)
    accesses = [(RECIPIENT, (bytes(32),))]
    shared: dict[str, Any] = {"key": USER, "chain_id": CHAIN_ID, "fee_cap": FEE_CAP, "value": 5}
    return [
        raw(0, nonce=nonce, **shared),
        raw(1, nonce=nonce + 1, access_list=accesses, **shared),
        raw(2, nonce=nonce + 2, tip=2, data=b"\0\1", **shared),
        raw(4, nonce=nonce + 3, tip=2, authorizations=[delegation], **shared),
    ]


def propose(world: ChainWorld, transactions: list[bytes], failures: int = 0) -> None:
    """Make one block of exactly these transactions, some of which fail on chain."""
    checked, left_out = world.propose(transactions)
    assert left_out == ()
    statuses = [receipt.status for receipt in checked.executed.receipts]
    assert statuses.count(0) == failures, statuses


def main() -> None:
    """Write the genesis file and the archive beside this script."""
    document = json.dumps(genesis_document(), indent=1).encode()
    with TemporaryDirectory() as folder:
        world = ChainWorld(Path(folder), document)
        try:
            fill(world)
            blocks = export_chain(world.chain, world.store, ARCHIVE, lambda _done, _all: None)
            head = world.chain.head
        finally:
            world.close()
    GENESIS.write_bytes(document)
    report = f"{blocks} blocks, head 0x{head.hash.hex()}, state root 0x{head.state_root.hex()}"
    print(report)  # noqa: T201  # the numbers for the test


if __name__ == "__main__":
    main()
