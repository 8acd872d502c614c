"""The eth_ methods that sign for a caller, with keys that only a development chain's node holds."""

from dataclasses import replace
from typing import Annotated, TypeAlias

from cvm.evm.keccak import keccak256
from cvm.evm.rlp_encoding import encode_list
from cvm.evm.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY
from cvm.evm.transaction_signing import UnsignedTransaction, unsigned_fields
from node.execution.call_request import CallMessage
from node.rpc.call_parameters import parse_call
from node.rpc.caller import Caller
from node.rpc.encoding import access_list_object, data, quantity, transaction_object
from node.rpc.eth_execute import estimate_gas
from node.rpc.eth_fee import suggested_tip
from node.rpc.faults import BadArgument, ServerError
from node.rpc.fees import base_fee
from node.rpc.json_value import JsonValue
from node.rpc.parameters import Address, Data
from node.rpc.registry import rpc_method
from node.rpc.typed_data import TypedData

MESSAGE_PREFIX = b"\x19Ethereum Signed Message:\n"
"""EIP-191, version 0x45."""

FIRST_V = 27
NO_SIGNATURE = b"\x80" * 3
"""Three zeros in RLP, in the places of v, r and s."""

Wish = tuple[CallMessage, int | None]


def parse_wish(value: object) -> Wish:
    """Return a transaction that a caller wants signed, and its nonce if that is given."""
    message = parse_call(value)
    if message.authorization_list is not None or message.blob_versioned_hashes:
        raise BadArgument("a transaction with authorizations or blobs is not signed here")
    return message, message.nonce


TransactionWish: TypeAlias = Annotated[Wish, parse_wish]


@rpc_method("eth_accounts")
async def accounts(caller: Caller) -> list[str]:
    """Return the accounts that the node signs for: none, but on a development chain.

    There, its funded accounts come first, then the impersonated ones.
    """
    itself = caller.node.itself
    impersonated = () if itself.dev is None else itself.dev.impersonated()
    return [data(each) for each in dict.fromkeys((*itself.wallet.accounts(), *impersonated))]


@rpc_method("eth_sign")
async def sign(caller: Caller, address: Address, message: Data) -> str:
    """Return the EIP-191 signature of a message by an account of this node."""
    digest = keccak256(MESSAGE_PREFIX + str(len(message)).encode() + message)
    signature = caller.node.itself.wallet.sign_hash(address, digest)
    return data(signature[:64] + bytes([FIRST_V + signature[64]]))


@rpc_method("personal_sign")
async def personal_sign(caller: Caller, message: Data, address: Address) -> str:
    """Return the EIP-191 signature of a message, as pages ask for it: the message comes first."""
    return await sign(caller, address, message)


@rpc_method("eth_signTypedData_v4")
async def sign_typed_data(caller: Caller, address: Address, digest: TypedData) -> str:
    """Return the EIP-712 signature of typed data by an account of this node."""
    signature = caller.node.itself.wallet.sign_hash(address, digest)
    return data(signature[:64] + bytes([FIRST_V + signature[64]]))


@rpc_method("eth_fillTransaction")
async def fill_transaction(caller: Caller, wish: TransactionWish) -> JsonValue:
    """Return a transaction with nonce, gas and fees filled in, not signed."""
    return _unsigned_object(await filled(caller, *wish))


@rpc_method("eth_signTransaction")
async def sign_transaction(caller: Caller, wish: TransactionWish) -> JsonValue:
    """Return a transaction signed by an account of this node; gas, fees and nonce must be given."""
    message, nonce = wish
    if message.gas is None:
        raise ServerError("not specify Gas")
    if message.gas_price is None and None in (
        message.max_fee_per_gas,
        message.max_priority_fee_per_gas,
    ):
        raise ServerError("missing gasPrice or maxFeePerGas/maxPriorityFeePerGas")
    if nonce is None:
        raise ServerError("nonce not specified")
    unsigned = await filled(caller, message, nonce)
    tx = caller.node.itself.wallet.sign_transaction(message.sender, unsigned)
    return {"raw": data(tx.encode()), "tx": transaction_object(tx, None, None)}


@rpc_method("eth_sendTransaction")
async def send_transaction(caller: Caller, wish: TransactionWish) -> str:
    """Sign a transaction by an account of this node, put it into the pool and return its hash."""
    message, nonce = wish
    wallet, dev, sender = caller.node.itself.wallet, caller.node.itself.dev, message.sender
    if dev is not None and not wallet.has(sender) and dev.may_impersonate(sender):
        return data(await dev.send_as(sender, await filled(caller, message, nonce)))
    wallet.require(message.sender)
    unsigned = await filled(caller, message, nonce)
    tx = wallet.sign_transaction(message.sender, unsigned)
    return data(await caller.chain.submit(tx.encode()))


async def filled(caller: Caller, message: CallMessage, nonce: int | None) -> UnsignedTransaction:
    """Return a transaction with geth's defaults for what its caller left out."""
    chain = caller.chain
    if message.to is None and not message.data:
        raise ServerError("contract creation without any data provided")
    if message.chain_id not in (None, chain.chain_id):
        raise ServerError(
            f"chainId does not match node's (have={message.chain_id}, want={chain.chain_id})"
        )
    if message.gas_price is None:
        type_id, fee_cap, tip = DYNAMIC_FEE, *await _fees(caller, message)
    else:
        type_id = ACCESS_LIST if message.access_list else LEGACY
        fee_cap, tip = message.gas_price, 0
    priced = replace(message, max_fee_per_gas=None, max_priority_fee_per_gas=None)
    gas = message.gas if message.gas is not None else int(await estimate_gas(chain, priced), 16)
    return UnsignedTransaction(
        type_id=type_id,
        chain_id=chain.chain_id,
        nonce=chain.pending_nonce(message.sender) if nonce is None else nonce,
        max_fee_per_gas=fee_cap,
        max_priority_fee_per_gas=tip,
        gas=gas,
        to=message.to or b"",
        value=message.value,
        data=message.data,
        access_list=message.access_list or (),
    )


async def _fees(caller: Caller, message: CallMessage) -> tuple[int, int]:
    """Return fee cap and tip: a suggested tip, and room for a base fee twice as high as now."""
    tip = message.max_priority_fee_per_gas
    if tip is None:
        tip = await suggested_tip(caller.chain)
    fee_cap = message.max_fee_per_gas
    if fee_cap is None:
        fee_cap = tip + 2 * base_fee(caller.chain.head())
    if fee_cap < tip:
        raise ServerError(f"maxFeePerGas ({fee_cap}) < maxPriorityFeePerGas ({tip})")
    return fee_cap, tip


def _unsigned_object(tx: UnsignedTransaction) -> JsonValue:
    prefix = b"" if tx.type_id == LEGACY else bytes((tx.type_id,))
    raw = prefix + encode_list(unsigned_fields(tx) + NO_SIGNATURE)
    fields: dict[str, JsonValue] = {
        "type": quantity(tx.type_id),
        "chainId": quantity(tx.chain_id or 0),
        "nonce": quantity(tx.nonce),
        "to": data(tx.to) if tx.to else None,
        "gas": quantity(tx.gas),
        "gasPrice": quantity(tx.max_fee_per_gas),
        "value": quantity(tx.value),
        "input": data(tx.data),
    }
    if tx.type_id != LEGACY:
        fields["accessList"] = access_list_object(tx.access_list)
    if tx.type_id == DYNAMIC_FEE:
        fields["maxFeePerGas"] = quantity(tx.max_fee_per_gas)
        fields["maxPriorityFeePerGas"] = quantity(tx.max_priority_fee_per_gas)
    return {"raw": data(raw), "tx": fields}
