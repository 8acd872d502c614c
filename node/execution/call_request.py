"""What eth_call and its kin ask for, and what comes of it."""

from dataclasses import dataclass

from cvm.evm.message_call import MessageResult, SimulatedTransaction
from cvm.evm.transaction import AccessList, Authorization

CALL_GAS_CAP = 50_000_000
"""The most gas of one request, as geth's --rpc.gascap."""


@dataclass(frozen=True, slots=True)
class CallMessage:
    """A call object as its caller wrote it; None means that the field was left out."""

    sender: bytes
    to: bytes | None
    gas: int | None
    gas_price: int | None
    max_fee_per_gas: int | None
    max_priority_fee_per_gas: int | None
    value: int
    data: bytes
    access_list: AccessList | None
    chain_id: int | None
    nonce: int | None = None
    max_fee_per_blob_gas: int | None = None
    blob_versioned_hashes: tuple[bytes, ...] = ()
    authorization_list: tuple[Authorization, ...] | None = None


@dataclass(frozen=True, slots=True)
class CallRequest:
    """The message of eth_call and eth_estimateGas; None means that the caller left it out.

    `gas_price` is the effective price that GASPRICE shows; `to` None creates a contract.
    """

    sender: bytes
    to: bytes | None
    gas: int | None
    gas_price: int
    value: int
    data: bytes
    access_list: AccessList = ()
    blob_versioned_hashes: tuple[bytes, ...] = ()
    authorization_list: tuple[Authorization, ...] = ()


@dataclass(frozen=True, slots=True)
class CallResult:
    """What a message did: `error` is None, `execution reverted`, or the exceptional halt's name."""

    output: bytes
    gas_used: int
    error: str | None
    reverted: bool = False


def simulated(request: CallRequest, gas_cap: int) -> SimulatedTransaction:
    """Return the message of a request, with a gas limit of at most `gas_cap`."""
    return SimulatedTransaction(
        sender=request.sender,
        to=request.to or b"",
        gas=gas_cap if request.gas is None else min(request.gas, gas_cap),
        gas_price=request.gas_price,
        value=request.value,
        data=request.data,
        access_list=request.access_list,
        blob_versioned_hashes=request.blob_versioned_hashes,
        authorization_list=request.authorization_list,
    )


def call_result(result: MessageResult) -> CallResult:
    """Return a message's result in the words of JSON-RPC."""
    return CallResult(result.output, result.gas_used, result.error, result.reverted)
