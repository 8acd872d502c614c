"""Brings a plain Ethereum chain to the head of its peers, over the eth protocol."""

import asyncio
from collections.abc import Callable, Iterator

from consensus.faults import InvalidBlock
from cvm.evm.header import BlockHeader
from node.ethereum_archive import (
    EthereumImport,
    NoEthereumChainHere,
    ethereum_forks_of,
    import_ethereum_blocks,
)
from node.p2p.eth_download import EthDownload
from node.sender_recovery import SenderRecovery
from node.storage.chain_database import ChainDatabase

Progress = Callable[[int, int], None]
"""Told the height of the head and that of the target after each block."""


def head_of(database: ChainDatabase) -> BlockHeader:
    """Return the head's header; raises `NoEthereumChainHere`."""
    header = database.header(database.head_hash() or b"\0")
    if header is None:
        raise NoEthereumChainHere(database.path.parent)
    return header


async def import_download(
    database: ChainDatabase,
    download: EthDownload,
    recovery: SenderRecovery,
    progress: Progress,
) -> EthereumImport:
    """Import what a download gives, on another thread; `download.run` runs meanwhile.

    A peer that gave a wrong block is left, and the others are asked again; the download ends with
    the import. Raises `NobodyToAsk`,
    or the `InvalidBlock` if there is nobody else.
    """
    forks = ethereum_forks_of(database)
    loop = asyncio.get_running_loop()

    def blocks() -> Iterator[bytes]:
        while raws := asyncio.run_coroutine_threadsafe(download.next_blocks(), loop).result():
            yield from raws

    def show(number: int) -> None:
        progress(number, download.target)

    before = EthereumImport(0, 0, 0, 0, head_of(database))
    while True:
        running = asyncio.ensure_future(
            asyncio.to_thread(import_ethereum_blocks, database, forks, blocks(), recovery, show)
        )
        try:
            done = await asyncio.shield(running)
        except asyncio.CancelledError:
            await download.end()
            await running
            raise
        except InvalidBlock as fault:
            head = head_of(database)
            if not download.blame(head.block_number + 1, str(fault), head):
                raise
        else:
            await download.end()
            return EthereumImport(
                done.head.block_number - before.head.block_number,
                done.known_blocks,
                done.transactions,
                done.gas_used,
                done.head,
            )
