"""`cvm init`, `cvm genesis`, `cvm genesis-of`: making a chain."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from consensus.genesis import parse_genesis
from consensus.new_genesis import DEFAULT_REGISTRY, new_genesis
from consensus.parameters import ChainParameters
from models_registry.genesis import (
    DEFAULT_VALIDATOR_SET,
    ETHER,
    RegistryParameters,
    ValidatorParameters,
)
from node.chain import Chain, init_chain, may_be_plain, parse_genesis_file
from node.cli.faults import BadArgument, clear_errors
from node.clock import now_s
from node.config import DEFAULT_DATADIR
from node.ethereum_archive import init_plain_folder, parse_json
from node.rpc.server import RpcServer
from node.storage.chain_database import ChainDatabase, NoChainHere

Datadir = Annotated[Path, typer.Option("--datadir", help="where chain, models and keys lie")]
HttpAddr = Annotated[str, typer.Option("--http.addr", help="interface of JSON-RPC")]
HttpPort = Annotated[int, typer.Option("--http.port", help="port of JSON-RPC; 0 takes a free one")]
HttpCors = Annotated[
    str,
    typer.Option(
        "--http.corsdomain", help="web pages that may ask, with commas between; * for all"
    ),
]
BackendName = Annotated[str, typer.Option("--backend", help="reference, cpu or cuda")]
ActivationDelay = Annotated[
    int, typer.Option("--activation-delay", help="blocks from activate to ACTIVE")
]
RetirementDelay = Annotated[
    int | None,
    typer.Option(
        "--retirement-delay", help="blocks from retire to RETIRED; as to ACTIVE if not given"
    ),
]
RoyaltyDelay = Annotated[
    int, typer.Option("--royalty-delay", help="blocks from setRoyalty to the new royalty")
]
BondEther = Annotated[int, typer.Option("--bond", help="ether that every validator has at stake")]
EpochBlocks = Annotated[
    int, typer.Option("--epoch-blocks", help="blocks for which the validators stay the same")
]
UnbondingBlocks = Annotated[
    int, typer.Option("--unbonding-blocks", help="blocks from a validator's last to its bond")
]
BlockReward = Annotated[
    int, typer.Option("--block-reward-gwei", help="gwei that every block pays its proposer")
]
DepositPerByte = Annotated[
    int, typer.Option("--deposit-per-byte", help="wei a byte of a model, given back in the end")
]
FeePerByte = Annotated[int, typer.Option("--fee-per-byte", help="wei a byte of a model, burned")]
LogJson = Annotated[bool, typer.Option("--log.json", help="log JSON lines")]


def init(
    genesis: Annotated[Path, typer.Argument(help="geth-format genesis JSON")],
    datadir: Datadir = DEFAULT_DATADIR,
) -> None:
    """Write block 0 of a genesis file into a data directory.

    A file without `config.cvm` starts a plain Ethereum chain, which `cvm node` serves.
    """
    with clear_errors():
        document = genesis.read_bytes()
        if may_be_plain(parse_json(document)):
            header = init_plain_folder(datadir / "chain", document)
        else:
            parse_genesis_file(document)
            with closing(ChainDatabase(datadir / "chain")) as database:
                header = init_chain(database, document)
        typer.echo(f"genesis 0x{header.hash.hex()}  state root 0x{header.state_root.hex()}")


def genesis(
    chain_id: Annotated[int, typer.Option("--chain-id")],
    validator: Annotated[list[str], typer.Option("--validator", help="address, in order of turns")],
    fund: Annotated[
        list[str] | None, typer.Option("--fund", help="ADDRESS=ETHER, repeated")
    ] = None,
    period: Annotated[int, typer.Option("--period", help="seconds between blocks")] = 2,
    activation_delay: ActivationDelay = DEFAULT_REGISTRY.activation_delay,
    retirement_delay: RetirementDelay = None,
    royalty_delay: RoyaltyDelay = DEFAULT_REGISTRY.royalty_delay,
    deposit_per_byte: DepositPerByte = DEFAULT_REGISTRY.deposit_per_byte,
    fee_per_byte: FeePerByte = DEFAULT_REGISTRY.fee_per_byte,
    bond: BondEther = DEFAULT_VALIDATOR_SET.bond // ETHER,
    epoch_blocks: EpochBlocks = DEFAULT_VALIDATOR_SET.epoch_blocks,
    unbonding_blocks: UnbondingBlocks = DEFAULT_VALIDATOR_SET.unbonding_blocks,
    block_reward_gwei: BlockReward = 0,
) -> None:
    """Print the genesis file of a new chain."""
    with clear_errors():
        balances = dict(parse_funding(text) for text in fund or [])
        document = new_genesis(
            ChainParameters(
                chain_id=chain_id, period_s=period, block_reward_gwei=block_reward_gwei
            ),
            [parse_address(text) for text in validator],
            balances,
            now_s(),
            RegistryParameters(
                activation_delay=activation_delay,
                retirement_delay=activation_delay if retirement_delay is None else retirement_delay,
                royalty_delay=royalty_delay,
                deposit_per_byte=deposit_per_byte,
                fee_per_byte=fee_per_byte,
            ),
            ValidatorParameters(bond * ETHER, epoch_blocks, unbonding_blocks),
        )
        parse_genesis(document)
        typer.echo(json.dumps(document, indent=2))


def genesis_of(datadir: Datadir = DEFAULT_DATADIR) -> None:
    """Print the genesis file that a data directory started from."""
    with clear_errors():
        database = ChainDatabase(datadir / "chain", read_only=True)
        try:
            document = database.genesis_json()
        finally:
            database.close()
        if document is None:
            raise NoChainHere(datadir)
        typer.echo(document.decode())


def announce(chain: Chain, server: RpcServer | None) -> None:
    """Say that the node answers."""
    typer.echo(
        f"head {chain.head.block_number} 0x{chain.head.hash.hex()}\n"
        f"chain id {chain.parameters.chain_id}, backend {chain.host.backend_name}\n"
        f"listening on {'no HTTP port' if server is None else server.url}"
    )


def parse_address(text: str) -> bytes:
    """Parse 0x and 40 hex digits."""
    try:
        address = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise BadArgument(f"{text!r} is not an address: 0x and 40 hex digits") from None
    if len(address) != 20:
        raise BadArgument(f"{text!r} has {len(address)} bytes, an address has 20")
    return address


def parse_funding(text: str) -> tuple[bytes, int]:
    """Parse ADDRESS=ETHER into an address and wei."""
    address, _equals, ether = text.partition("=")
    if not ether.isdigit():
        raise BadArgument(f"--fund {text!r}: write ADDRESS=ETHER with a whole number of ether")
    return parse_address(address), int(ether) * 10**18


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(init)
    app.command()(genesis)
    app.command("genesis-of")(genesis_of)
