"""The transactions that a testnet carries: transfers and calls of a model's contract."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from eth_account import Account

from cvm.evm.private_key import PrivateKey
from node.demo_contract import classify_data
from node.keys import address_of
from node.local_network import CHAIN_ID
from node.network_process import NetworkProcess, NoAnswer
from node.sample_models import sample_model_path
from tests.testnets.watch import NotInTime

TICK_S = 0.1
TRANSFER_GAS, CALL_GAS = 21_000, 2_000_000
FEE_CAP = 10**11
RECEIVER = bytes(19) + b"\x77"
SETTLE_TIMEOUT_S = 30.0

Fields = dict[str, Any]


@dataclass(slots=True)
class Stream:
    """One account that sends one kind of transaction at a rate.

    `accepted` counts what a node took; what a node took that was killed with it is sent again.
    """

    key: PrivateKey
    per_s: float
    fields: Callable[[int], Fields]
    next_nonce: int = 0
    accepted: int = 0
    owed: float = 0.0

    @property
    def address(self) -> str:
        """Return the account."""
        return f"0x{address_of(self.key).hex()}"

    async def send_due(self, node: NetworkProcess, passed_s: float) -> None:
        """Send what is due; raises `NoAnswer`."""
        self.owed = min(self.owed + passed_s * self.per_s, 4 * self.per_s + 1)
        if self.owed < 1:
            return
        nonce = int(await node.call("eth_getTransactionCount", self.address, "pending"), 16)
        while self.owed >= 1:
            signed = Account.sign_transaction(
                {
                    "type": 2,
                    "chainId": CHAIN_ID,
                    "nonce": nonce,
                    "maxFeePerGas": FEE_CAP,
                    "maxPriorityFeePerGas": 1,
                    **self.fields(nonce),
                },
                self.key.to_bytes(),
            )
            await node.call("eth_sendRawTransaction", f"0x{signed.raw_transaction.hex()}")
            nonce += 1
            self.next_nonce = nonce
            self.accepted += 1
            self.owed -= 1


@dataclass(slots=True)
class LoadGenerator:
    """Sends streams to one node for as long as it is well, then to another."""

    nodes: Callable[[], Sequence[NetworkProcess]]
    """The nodes that are well, the preferred one first."""
    streams: list[Stream] = field(default_factory=list)
    refused: int = 0

    async def run(self) -> None:
        """Send until cancelled."""
        before_s = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(TICK_S)
            now_s = asyncio.get_running_loop().time()
            for stream in self.streams:
                well = self.nodes()
                try:
                    if well:
                        await stream.send_due(well[0], now_s - before_s)
                except NoAnswer:
                    self.refused += 1
            before_s = now_s

    async def included(self, node: NetworkProcess) -> int:
        """Wait until the chain has all that was sent; return how many transactions.

        Raises `NotInTime`.
        """
        counts = [0] * len(self.streams)
        try:
            async with asyncio.timeout(SETTLE_TIMEOUT_S):
                while any(
                    count < stream.next_nonce
                    for count, stream in zip(counts, self.streams, strict=True)
                ):
                    await asyncio.sleep(TICK_S)
                    counts = [
                        int(
                            await node.call("eth_getTransactionCount", stream.address, "latest"), 16
                        )
                        for stream in self.streams
                    ]
        except (TimeoutError, NoAnswer) as error:
            wanted = [stream.next_nonce for stream in self.streams]
            raise NotInTime(f"transactions {counts} of {wanted} included: {error}") from None
        return sum(counts)


def transfers(key: PrivateKey, per_s: float) -> Stream:
    """Return a stream of plain transfers."""
    return Stream(key, per_s, lambda _nonce: {"to": RECEIVER, "value": 1, "gas": TRANSFER_GAS})


def inferences(key: PrivateKey, per_s: float, contract: str) -> Stream:
    """Return a stream of calls of a digit classifier, with one digit after another."""
    images = np.load(sample_model_path("digits_100_images.npy"), allow_pickle=False)
    to = bytes.fromhex(contract[2:])

    def fields(nonce: int) -> Fields:
        image = images[nonce % len(images)].tobytes()
        return {"to": to, "value": 0, "gas": CALL_GAS, "data": classify_data(image)}

    return Stream(key, per_s, fields)
