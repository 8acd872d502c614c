"""The eth_ methods that read several things of accounts at once."""

from typing import Annotated, TypeAlias

from node.rpc.block_lookup import require_header
from node.rpc.chain_view import EthView
from node.rpc.encoding import data, quantity, word
from node.rpc.faults import BadArgument, InvalidParams
from node.rpc.parameters import (
    Address,
    Block,
    BlockTag,
    parse_address,
    parse_list,
    parse_object,
    parse_storage_slot,
)
from node.rpc.registry import JsonValue, rpc_method

MAX_SLOTS = 1_024
"""Of one request, all accounts together, as in geth."""

SlotRequest = tuple[tuple[str, bytes, tuple[int, ...]], ...]
"""Each account as the caller writes it, its address, and the slots that are asked for."""


def parse_slot_request(value: object) -> SlotRequest:
    """Return the accounts and slots of eth_getStorageValues."""
    found = []
    for text, keys in parse_object(value).items():
        try:
            slots = tuple(parse_storage_slot(key) for key in parse_list(keys))
            found.append((text, parse_address(text), slots))
        except BadArgument as fault:
            raise BadArgument(f"{text[:42]}: {fault}") from fault
    return tuple(found)


SlotsByAddress: TypeAlias = Annotated[SlotRequest, parse_slot_request]


@rpc_method("eth_getAccountInfo")
async def get_account_info(
    chain: EthView, address: Address, block: Block = BlockTag.LATEST
) -> JsonValue:
    """Return balance, nonce and code of an account, in reth's and Nethermind's form."""
    state = chain.state_at(require_header(chain, block))
    return {
        "balance": quantity(state.balance(address)),
        "nonce": quantity(state.nonce(address)),
        "code": data(state.code(address)),
    }


@rpc_method("eth_getStorageValues", is_long=True)
async def get_storage_values(
    chain: EthView, requests: SlotsByAddress, block: Block = BlockTag.LATEST
) -> JsonValue:
    """Return many storage words of many accounts, each as 32 bytes, by account as it was named."""
    wanted = sum(len(slots) for _, _, slots in requests)
    if not wanted:
        raise InvalidParams("empty request")
    if wanted > MAX_SLOTS:
        raise InvalidParams(f"too many slots (max {MAX_SLOTS})")
    state = chain.state_at(require_header(chain, block))
    return {
        text: [word(state.storage(address, slot)) for slot in slots]
        for text, address, slots in requests
    }
