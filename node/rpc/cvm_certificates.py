"""The cvm_ method that shows which validators made blocks final, as contracts can prove it."""

from node.rpc.chain_view import ChainView
from node.rpc.encoding import data, quantity
from node.rpc.faults import InvalidParams, LimitExceeded
from node.rpc.parameters import Uint64
from node.rpc.registry import JsonValue, rpc_method

MAX_CERTIFICATES = 256


@rpc_method("cvm_listCertificates", is_long=True)
async def list_certificates(chain: ChainView, first: Uint64, last: Uint64) -> list[JsonValue]:
    """Return the certificates of the heights from `first` to `last` that are final here.

    Bit i of `signers` is validator i of the height. `provenAt` is the time of the next block, under
    which EIP-4788's contract knows the hash of `data`; null while there is no next block.
    """
    if last < first:
        raise InvalidParams(f"the last height, {last}, is below the first, {first}")
    if last - first >= MAX_CERTIFICATES:
        raise LimitExceeded(f"{last - first + 1} heights, at most {MAX_CERTIFICATES} in one call")
    found: list[JsonValue] = []
    for height in range(first, min(last, chain.head().block_number) + 1):
        certificate = chain.certificate(height)
        if certificate is None:
            continue
        following = chain.header_by_number(height + 1)
        found.append(
            {
                "height": quantity(height),
                "round": quantity(certificate.round),
                "blockHash": data(certificate.header_hash),
                "signers": quantity(certificate.signers),
                "provenAt": None if following is None else quantity(following.timestamp),
                "data": data(certificate.encode()),
            }
        )
    return found
