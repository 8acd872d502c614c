"""What the body of a plain Ethereum block must be, given its header: one function per rule.

The root of the transactions is compared after they have run, which works it out.
"""

from consensus.block import MAX_BLOCK_BYTES
from consensus.ethereum.ethereum_block import EthereumBlock
from consensus.ethereum.faults import (
    BlockTooLarge,
    FieldMissing,
    FieldOfLaterFork,
    OmmersNotEmpty,
    WrongWithdrawalsRoot,
)
from cvm.evm.forks import Fork
from cvm.evm.header import EMPTY_UNCLES_HASH
from cvm.evm.keccak import keccak256
from cvm.evm.list_root import list_root
from cvm.evm.rlp_encoding import encode_list


def validate_ethereum_body(block: EthereumBlock, fork: Fork) -> None:
    """Check every rule on the body that needs no execution; raises an `InvalidBlock`."""
    validate_size(block, fork)
    validate_ommers(block)
    validate_withdrawals(block, fork)


def validate_size(block: EthereumBlock, fork: Fork) -> None:
    """EIP-7934, from Osaka on: the RLP has at most 10 MiB less 2 MiB."""
    size = len(block.encode())
    if fork.is_osaka and size > MAX_BLOCK_BYTES:
        raise BlockTooLarge(block.number, size, MAX_BLOCK_BYTES)


def validate_ommers(block: EthereumBlock) -> None:
    """EIP-3675: there are none."""
    if block.ommers:
        found = keccak256(encode_list(b"".join([ommer.encode() for ommer in block.ommers])))
        raise OmmersNotEmpty(block.number, found, EMPTY_UNCLES_HASH)


def validate_withdrawals(block: EthereumBlock, fork: Fork) -> None:
    """EIP-4895: from Shanghai on there is a list, and it has the header's root."""
    if not fork.is_shanghai:
        if block.withdrawals is not None:
            raise FieldOfLaterFork(block.number, "the list of withdrawals", fork.name)
        return
    if block.withdrawals is None:
        raise FieldMissing(block.number, "the list of withdrawals", fork.name)
    root = list_root([withdrawal.encode() for withdrawal in block.withdrawals])
    if root != block.header.withdrawals_root:
        raise WrongWithdrawalsRoot(block.number, root, block.header.withdrawals_root)
