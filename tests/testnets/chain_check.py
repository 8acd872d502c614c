"""Reads the databases of a testnet that has stopped: one hash a height, every certificate valid."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from consensus.certificate import CommitCertificate, SealDomain, validate_certificate
from consensus.faults import BadCertificate
from node.chain import parse_genesis_file
from node.network_process import NodePlace
from node.storage.chain_database import ChainDatabase


@dataclass(slots=True)
class Chains:
    """What the databases hold; `faults` says what is wrong with it."""

    heights: dict[str, int] = field(default_factory=dict)
    hashes: dict[int, bytes] = field(default_factory=dict)
    transactions: int = 0
    signers: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Whose seals stand in the certificate of a height."""
    rounds: Counter[int] = field(default_factory=Counter)
    """Heights by the round that decided them."""
    faults: list[str] = field(default_factory=list)

    @property
    def seals(self) -> Counter[str]:
        """Return how many certificates each validator's seal stands in."""
        return self.seals_after(0)

    def seals_after(self, height: int) -> Counter[str]:
        """Return the same, of blocks above a height."""
        return Counter(name for at, names in self.signers.items() if at > height for name in names)


def read_chains(places: Sequence[NodePlace], believed: Sequence[str]) -> Chains:
    """Read the chains of the nodes that are believed, of all `places`, and compare them."""
    validators = [place.validator for place in places if place.validator is not None]
    names = [place.name for place in places if place.validator is not None]
    read = [place for place in places if place.name in believed]
    found = Chains()
    valid: set[bytes] = set()
    for place in read:
        database = ChainDatabase(place.datadir / "chain", read_only=True)
        try:
            read_chain(place.name, database, validators, found, valid)
        finally:
            database.close()
    longest = max(read, key=lambda place: found.heights[place.name])
    count_seals(longest, names, found)
    return found


def read_chain(
    name: str,
    database: ChainDatabase,
    validators: Sequence[bytes],
    found: Chains,
    valid: set[bytes],
) -> None:
    """Read one chain from block 1 upwards; `valid` are certificates that were checked."""
    domain = domain_of(database)
    height = 0
    while (block_hash := database.hash_at(height + 1)) is not None:
        height += 1
        known = found.hashes.setdefault(height, block_hash)
        if known != block_hash:
            found.faults.append(
                f"fork at {height}: {name} has 0x{block_hash.hex()}, another 0x{known.hex()}"
            )
        certificate = database.certificate(block_hash)
        if certificate is None:
            found.faults.append(f"{name} has no certificate of {height}")
        elif certificate.encode() not in valid:
            try:
                validate_certificate(certificate, domain, validators, block_hash, height)
                valid.add(certificate.encode())
            except BadCertificate as fault:
                found.faults.append(f"{name}: {fault}")
        found.faults += link_fault(name, database, height, certificate)
    found.heights[name] = height


def link_fault(
    name: str, database: ChainDatabase, height: int, certificate: CommitCertificate | None
) -> list[str]:
    """Return what is wrong where the next header names another certificate."""
    next_hash = database.hash_at(height + 1)
    following = None if next_hash is None else database.header(next_hash)
    if following is None or certificate is None:
        return []
    if following.parent_beacon_block_root == certificate.hash:
        return []
    return [f"{name}: block {height + 1} names another certificate of {height}"]


def domain_of(database: ChainDatabase) -> SealDomain:
    """Return what the seals of this chain speak of."""
    genesis = parse_genesis_file(database.genesis_json() or b"")
    return SealDomain(genesis.parameters.chain_id, database.hash_at(0) or b"")


def count_seals(place: NodePlace, names: Sequence[str], found: Chains) -> None:
    """Count transactions, rounds, and the seals of each validator in one node's chain."""
    database = ChainDatabase(place.datadir / "chain", read_only=True)
    try:
        for height in range(1, found.heights[place.name] + 1):
            block_hash = database.hash_at(height) or bytes(32)
            block, certificate = database.block(block_hash), database.certificate(block_hash)
            if block is None or certificate is None:
                continue
            found.transactions += len(block.transactions)
            found.rounds[certificate.round] += 1
            found.signers[height] = tuple(
                name for index, name in enumerate(names) if certificate.signers >> index & 1
            )
    finally:
        database.close()
