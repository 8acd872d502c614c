"""The debug_ methods that run transactions, blocks and messages again under a tracer."""

from cvm.evm.header import BlockHeader
from node.rpc.block_lookup import require_header
from node.rpc.call_parameters import Call
from node.rpc.chain_view import EthView
from node.rpc.encoding import data
from node.rpc.eth_execute import call_request
from node.rpc.faults import ServerError
from node.rpc.json_value import JsonText
from node.rpc.parameters import Block, BlockHash, BlockTag, Hash
from node.rpc.registry import rpc_method
from node.tracing.call_config import DEFAULT_CALL_CONFIG, CallConfig
from node.tracing.trace_config import DEFAULT_CONFIG, Config, TraceConfig
from node.tracing.trace_jobs import TraceBlockJob, TraceCallJob, TraceTransactionJob


@rpc_method("debug_traceTransaction")
async def trace_transaction(
    chain: EthView, tx_hash: Hash, config: Config = DEFAULT_CONFIG
) -> JsonText:
    """Run an included transaction again, and return what the tracer saw."""
    location = chain.transaction_location(tx_hash)
    if location is None:
        raise ServerError(f"transaction {data(tx_hash)} not found")
    return await chain.execute(TraceTransactionJob(location.block_hash, location.index, config))


@rpc_method("debug_traceBlockByNumber")
async def trace_block_by_number(
    chain: EthView, block: Block, config: Config = DEFAULT_CONFIG
) -> JsonText:
    """Run a block again, and return a trace for each of its transactions."""
    return await trace_block(chain, require_header(chain, block), config)


@rpc_method("debug_traceBlockByHash")
async def trace_block_by_hash(
    chain: EthView, block_hash: Hash, config: Config = DEFAULT_CONFIG
) -> JsonText:
    """Run a block again, and return a trace for each of its transactions."""
    return await trace_block(chain, require_header(chain, BlockHash(block_hash)), config)


@rpc_method("debug_traceCall")
async def trace_call(
    chain: EthView,
    message: Call,
    block: Block = BlockTag.LATEST,
    config: CallConfig = DEFAULT_CALL_CONFIG,
) -> JsonText:
    """Run a message on the state after a block, and return what the tracer saw.

    `txIndex` has it run within the block, after so many of its transactions.
    """
    header = require_header(chain, block)
    request = call_request(message, chain.chain_id, header, config.block)
    return await chain.execute(TraceCallJob(header.hash, request, config))


async def trace_block(chain: EthView, header: BlockHeader, config: TraceConfig) -> JsonText:
    """Return the traces of a block; raises `ServerError` for genesis, which ran nothing."""
    if header.block_number == 0:
        raise ServerError("genesis is not traceable")
    return await chain.execute(TraceBlockJob(header.hash, config))
