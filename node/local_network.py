"""A network of real nodes on this machine: for a user's first look, and for tests that break it."""

import asyncio
import json
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from coincurve import PrivateKey as CoincurveKey

from consensus.new_genesis import DEFAULT_REGISTRY, new_genesis
from consensus.parameters import ChainParameters
from cvm.evm.private_key import PrivateKey
from models_registry.cli.keystore import encode_keystore
from models_registry.genesis import ValidatorParameters
from node.chain import init_chain
from node.clock import now_s
from node.config import NODE_KEY_FILE
from node.dev_keys import DEV_BALANCE_WEI, dev_accounts
from node.keys import address_of, draw_bytes, draw_secret, load_node_key
from node.network_links import Links
from node.network_process import NetworkProcess, NodePlace
from node.p2p.ecies import node_id_of
from node.storage.chain_database import ChainDatabase
from node.warm_kernels import is_compiled, warm_execution

PASSWORD = "testnet"  # TEST keys, drawn for one network on one machine
KEYSTORE, PASSWORD_FILE, NETWORK_FILE = "validator.json", "password", "network.json"
VALIDATOR_WEI = 100 * 10**18
BOND_WEI = 100 * 10**18
"""What a TEST account can pay, so that a user can join."""

UNBONDING_BLOCKS = 100
CHAIN_ID = 31_338


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """What a local network consists of; ports of 0 are chosen free ones."""

    validators: int
    full_nodes: int = 0
    period_s: int = 2
    first_http_port: int = 0
    first_p2p_port: int = 0
    registry_delay: int = 2
    """Blocks from a model's activation to ACTIVE, and of the registry's other delays."""

    epoch_blocks: int = 100
    """Blocks for which the validators stay the same."""


def make_network(folder: Path, plan: NetworkPlan) -> tuple[NodePlace, ...]:
    """Draw keys and write one data directory for each node, all with one genesis block."""
    keys = [PrivateKey(draw_secret()) for _ in range(plan.validators)]
    genesis = json.dumps(genesis_of(plan, [address_of(key) for key in keys])).encode()
    names = [f"validator-{index}" for index in range(plan.validators)]
    names += [f"node-{index}" for index in range(plan.full_nodes)]
    http_ports = ports(plan.first_http_port, len(names))
    p2p_ports = ports(plan.first_p2p_port, len(names))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "genesis.json").write_bytes(genesis)
    places = []
    for index, name in enumerate(names):
        datadir, key = folder / name, keys[index] if index < len(keys) else None
        secret = load_node_key(datadir / NODE_KEY_FILE)
        if key is not None:
            save_test_key(datadir, key)
        start_chain(datadir, genesis)
        validator = None if key is None else address_of(key)
        places.append(
            NodePlace(
                name,
                datadir,
                http_ports[index],
                p2p_ports[index],
                node_id_of(CoincurveKey(secret)),
                validator,
            )
        )
    save_places(folder, places)
    return tuple(places)


def save_places(folder: Path, places: Sequence[NodePlace]) -> None:
    """Write which nodes a folder holds."""
    entries = [
        {
            "name": place.name,
            "httpPort": place.http_port,
            "p2pPort": place.p2p_port,
            "nodeId": place.node_id.hex(),
            "validator": None if place.validator is None else place.validator.hex(),
        }
        for place in places
    ]
    (folder / NETWORK_FILE).write_text(json.dumps(entries, indent=2))


def load_places(folder: Path) -> tuple[NodePlace, ...]:
    """Return the nodes of a folder that `make_network` made; none where there is no network."""
    path = folder / NETWORK_FILE
    if not path.exists():
        return ()
    return tuple(
        NodePlace(
            name=entry["name"],
            datadir=folder / entry["name"],
            http_port=entry["httpPort"],
            p2p_port=entry["p2pPort"],
            node_id=bytes.fromhex(entry["nodeId"]),
            validator=None if entry["validator"] is None else bytes.fromhex(entry["validator"]),
        )
        for entry in json.loads(path.read_text())
    )


def genesis_of(plan: NetworkPlan, validators: Sequence[bytes]) -> dict[str, object]:
    """Return the genesis object of a local network; the TEST accounts of `cvm dev` are funded."""
    return new_genesis(
        ChainParameters(chain_id=CHAIN_ID, period_s=plan.period_s),
        validators,
        {
            **{address_of(key): DEV_BALANCE_WEI for key in dev_accounts()},
            **dict.fromkeys(validators, VALIDATOR_WEI),
        },
        now_s(),
        DEFAULT_REGISTRY.with_delays(plan.registry_delay),
        ValidatorParameters(BOND_WEI, plan.epoch_blocks, UNBONDING_BLOCKS),
    )


def save_test_key(datadir: Path, key: PrivateKey) -> None:
    """Write a TEST key as a keystore that opens at once, and its password beside it."""
    document = encode_keystore(key.to_bytes(), PASSWORD.encode(), draw_bytes, scrypt_n=2)
    for name, text in ((KEYSTORE, json.dumps(document)), (PASSWORD_FILE, PASSWORD)):
        path = datadir / name
        path.touch(mode=0o600)
        path.write_text(text)


def start_chain(datadir: Path, genesis_json: bytes) -> None:
    """Write block 0."""
    database = ChainDatabase(datadir / "chain")
    try:
        init_chain(database, genesis_json)
    finally:
        database.close()


def ports(first: int, count: int) -> list[int]:
    """Return consecutive ports, or free ones where `first` is 0."""
    if first:
        return list(range(first, first + count))
    with ExitStack() as held:
        found = []
        for _ in range(count):
            listener = held.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            found.append(listener.getsockname()[1])
    return found


class LocalNetwork:
    """The processes of a network, and what a test does to them.

    With `relayed` every connection goes through a relay that can be cut.
    """

    def __init__(
        self, places: Sequence[NodePlace], *, relayed: bool = False, arguments: Sequence[str] = ()
    ) -> None:
        self.nodes = {place.name: NetworkProcess(place) for place in places}
        self._arguments = tuple(arguments)
        self._links = Links({place.name: place.p2p_port for place in places}) if relayed else None

    async def open(self) -> None:
        """Open the relays; nodes are started one by one, or by `start_all`."""
        if self._links is not None:
            await self._links.open()

    async def start_all(self, names: Sequence[str] = ()) -> None:
        """Start these nodes side by side, every node if none is named.

        The execution core is compiled first, once, where it is not on disk.
        """
        if not is_compiled():
            await asyncio.to_thread(warm_execution)
        async with asyncio.TaskGroup() as tasks:
            for name in names or self.nodes:
                tasks.create_task(self.start(name))

    async def start(self, name: str) -> None:
        """Start a node; raises `NodeDidNotStart`."""
        node = self.nodes[name]
        await node.start([*self._arguments, *self._own_arguments(node.place)])

    def _own_arguments(self, place: NodePlace) -> list[str]:
        arguments = ["--no-discovery"]
        if place.validator is not None:
            arguments += ["--validator", str(place.datadir / KEYSTORE)]
            arguments += ["--password", str(place.datadir / PASSWORD_FILE)]
        for dialled, port in self._dialled_by(place.name).items():
            arguments += ["--peer", self.nodes[dialled].place.enode(port)]
        return arguments

    def _dialled_by(self, name: str) -> Mapping[str, int]:
        if self._links is not None:
            return self._links.dialled_by(name)
        names = list(self.nodes)
        earlier = names[: names.index(name)]
        return {other: self.nodes[other].place.p2p_port for other in earlier}

    async def kill(self, name: str) -> None:
        """End a node as a power cut would."""
        await self.nodes[name].kill()

    def pause(self, name: str) -> None:
        """Stop a node's clock, as a machine that hangs."""
        self.nodes[name].send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a paused node go on."""
        self.nodes[name].send_signal(signal.SIGCONT)

    async def separate(self, group: Sequence[str]) -> None:
        """Cut a group of nodes off from the rest; only in a relayed network."""
        if self._links is not None:
            await self._links.separate(group)

    def heal(self) -> None:
        """Join what was separated."""
        if self._links is not None:
            self._links.heal()

    async def close(self) -> None:
        """Stop every node and relay."""
        await asyncio.gather(*(node.close() for node in self.nodes.values()))
        if self._links is not None:
            await self._links.close()
