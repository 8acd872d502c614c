"""The cvm_ methods with which a caller checks what this node says: certificates and inferences."""

from consensus.certificate import CommitCertificate, SealDomain
from consensus.qbft.signing import recover_signer
from node.rpc.block_lookup import require_header
from node.rpc.caller import Caller
from node.rpc.chain_view import ChainView
from node.rpc.encoding import data, quantity
from node.rpc.eth_node import require_facts
from node.rpc.faults import LimitExceeded, ServerError
from node.rpc.parameters import Block, BlockTag, Hash, Uint64
from node.rpc.registry import JsonValue, rpc_method
from opcodes.inference_trace import InferenceTrace

MAX_VERIFIED_MACS = 1 << 27
"""Of one item: the definition takes seconds for as many multiplications."""


@rpc_method("cvm_getCommitCertificate", is_long=True)
async def get_commit_certificate(chain: ChainView, block: Block = BlockTag.LATEST) -> JsonValue:
    """Return what made a block final, with the addresses recovered from its seals, or null.

    `data` is what contracts take; its hash stands in the next header as parentBeaconBlockRoot.
    """
    header = require_header(chain, block)
    certificate = chain.certificate(header.block_number)
    genesis = chain.header_by_number(0)
    if certificate is None or genesis is None:
        return None
    domain = SealDomain(chain.chain_id, genesis.hash)
    return {
        "height": quantity(certificate.height),
        "round": quantity(certificate.round),
        "blockHash": data(certificate.header_hash),
        "signers": quantity(certificate.signers),
        "seals": _seal_objects(certificate, domain),
        "hash": data(certificate.hash),
        "data": data(certificate.encode()),
    }


@rpc_method("cvm_verifyInference")
async def verify_inference(chain: ChainView, tx_hash: Hash, index: Uint64 = 0) -> JsonValue:
    """Run an inference of an included transaction again, on the definition too, and compare both.

    `agrees` is whether each bit of the output is what the definition gives; null where the model
    did not run.
    """
    location = chain.transaction_location(tx_hash)
    if location is None:
        raise ServerError(f"transaction {data(tx_hash)} not found")
    trace = await chain.inference_of(location, index)
    if trace is None:
        raise ServerError(f"transaction {data(tx_hash)} has no inference {index}")
    _validate_size(chain, trace)
    agrees = await chain.agrees_with_definition(trace.call) if trace.call.has_run else None
    return {
        "transactionHash": data(tx_hash),
        "index": quantity(index),
        "modelId": data(trace.call.model_id),
        "ok": trace.call.ok,
        "inputHash": data(trace.input_hash),
        "outputHash": data(trace.output_hash),
        "agrees": agrees,
    }


@rpc_method("cvm_backends")
async def backends(caller: Caller) -> JsonValue:
    """Return the ways to run inferences that this program has, and which one the node uses."""
    return [
        {
            "name": fact.name,
            "active": fact.is_active,
            "quarantined": fact.is_quarantined,
        }
        for fact in require_facts(caller, "cvm_backends").backends()
    ]


def _seal_objects(certificate: CommitCertificate, domain: SealDomain) -> list[JsonValue]:
    digest = domain.digest(certificate.height, certificate.round, certificate.header_hash)
    indices = [i for i in range(certificate.signers.bit_length()) if certificate.signers >> i & 1]
    found: list[JsonValue] = []
    for index, seal in zip(indices, certificate.seals, strict=False):
        signer = recover_signer(digest, seal)
        found.append(
            {
                "index": quantity(index),
                "validator": None if signer is None else data(signer),
                "seal": data(seal),
            }
        )
    return found


def _validate_size(chain: ChainView, trace: InferenceTrace) -> None:
    entry = chain.model_entry(trace.call.model_id)
    record = None if entry is None else entry.record
    macs = 0 if record is None else record.cost.float32_macs + record.cost.int8_macs
    if macs > MAX_VERIFIED_MACS:
        raise LimitExceeded(
            f"the model has {macs} multiplications an item; the definition takes too long "
            f"for more than {MAX_VERIFIED_MACS}"
        )
