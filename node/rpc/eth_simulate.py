"""The eth_ method that makes up blocks of calls, without keeping what they did."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from cvm.evm.transaction_gas import TX_GAS
from node.execution.call_request import CALL_GAS_CAP
from node.execution.overrides import NO_BLOCK_OVERRIDES
from node.execution.simulation import MAX_BLOCKS, BlockOfCalls, SimulateJob
from node.execution.simulation_faults import TooManyBlocks
from node.rpc.block_lookup import require_header
from node.rpc.call_parameters import field, parse_call
from node.rpc.chain_view import EthView
from node.rpc.faults import BadArgument, InvalidParams
from node.rpc.override_parameters import parse_block_overrides, parse_state_overrides
from node.rpc.parameters import Block, BlockTag, parse_flag, parse_list, parse_object
from node.rpc.registry import JsonText, rpc_method
from node.rpc.simulated_blocks import SimulatedBlocksJob

MAX_CALLS = CALL_GAS_CAP // TX_GAS
"""So many have the gas to begin, of all that one request has."""
MAX_ACCOUNTS = 10_000


def parse_blocks(value: object) -> tuple[BlockOfCalls, ...]:
    """Return the blocks of a simulation; raises `BadArgument` for more than could ever run."""
    blocks = [parse_object(item) for item in parse_list(value)]
    validate_count(blocks)
    return tuple([_block_of_calls(block) for block in blocks])


def validate_count(blocks: list[dict[str, object]]) -> None:
    """Refuse what is too much before it is parsed; raises `TooManyBlocks` or `BadArgument`."""
    if len(blocks) > MAX_BLOCKS:
        raise TooManyBlocks
    for name, most in (("calls", MAX_CALLS), ("stateOverrides", MAX_ACCOUNTS)):
        parts = [block.get(name) for block in blocks]
        count = sum(len(part) for part in parts if isinstance(part, list | dict))
        if count > most:
            raise BadArgument(f"{count} {name} of all blocks together; want at most {most}")


def _block_of_calls(fields: dict[str, object]) -> BlockOfCalls:
    return BlockOfCalls(
        field(fields, "blockOverrides", parse_block_overrides) or NO_BLOCK_OVERRIDES,
        field(fields, "stateOverrides", parse_state_overrides) or (),
        field(fields, "calls", lambda calls: tuple(map(parse_call, parse_list(calls)))) or (),
    )


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What a simulation runs, and what its answer shows."""

    blocks: tuple[BlockOfCalls, ...]
    validates: bool
    traces_transfers: bool
    is_full: bool


def parse_options(value: object) -> SimulationOptions:
    """Return the options of a simulation; raises `BadArgument` or `TooManyBlocks`."""
    fields = parse_object(value)
    return SimulationOptions(
        blocks=field(fields, "blockStateCalls", parse_blocks) or (),
        validates=field(fields, "validation", parse_flag) or False,
        traces_transfers=field(fields, "traceTransfers", parse_flag) or False,
        is_full=field(fields, "returnFullTransactions", parse_flag) or False,
    )


Options: TypeAlias = Annotated[SimulationOptions, parse_options]


@rpc_method("eth_simulateV1")
async def simulate(chain: EthView, options: Options, block: Block = BlockTag.LATEST) -> JsonText:
    """Run blocks of calls on the state after a block, and return the blocks that they make."""
    if not options.blocks:
        raise InvalidParams("empty input")
    header = require_header(chain, block)
    job = SimulateJob(header.hash, options.blocks, options.validates, options.traces_transfers)
    return await chain.execute(SimulatedBlocksJob(job, options.is_full))
