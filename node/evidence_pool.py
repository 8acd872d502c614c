"""Proof of double votes that this node has seen or heard of, kept until somebody reports it."""

import os
from pathlib import Path

import structlog

from consensus.qbft.evidence import Evidence, decode_evidence
from consensus.qbft.faults import BadMessage
from consensus.qbft.signing import SigningDomain, recover_signer
from cvm.evm.keccak import keccak256
from cvm.faults import LocalFault
from models_registry.registry import read_listing
from node.chain import Chain

log = structlog.get_logger(__name__)
MAX_EVIDENCE = 256
MAX_OF_SIGNER = 4
"""One proof jails; a validator that signs many must not crowd out the proof of another."""
LARGE_BYTES = 120 << 10
"""A proof of two proposals that no longer fits the transaction that would report it (128 KiB)."""
MAX_LARGE_BYTES = 16 << 20
"""Of all large proofs together; a validator of whom there is another one needs none."""
SUFFIX, DAMAGED_SUFFIX = ".rlp", ".damaged"


class EvidenceFault(LocalFault):
    """The disk under the proofs failed, is full, or may not be read."""

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(f"evidence in {folder}: {error.strerror or type(error).__name__}")


class EvidencePool:
    """One proof for each validator, code, height and round; a file each, so that none is lost.

    A file that is no proof is set aside: others bring it again. Raises `EvidenceFault`.
    """

    def __init__(self, chain: Chain, folder: Path) -> None:
        self._chain = chain
        self._folder = folder
        domain = chain.domain
        self._domain = SigningDomain(domain.chain_id, domain.genesis_hash)
        self._known: dict[tuple[bytes, int, int, int], Evidence] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                self._load(path)
        except OSError as error:
            raise EvidenceFault(folder, error) from error

    def _load(self, path: Path) -> None:
        try:
            evidence = self.decode(path.read_bytes())
        except BadMessage as fault:
            log.warning("evidence set aside", file=path.name, reason=str(fault))
            path.replace(path.with_suffix(DAMAGED_SUFFIX))
        else:
            self._known[key_of(evidence)] = evidence

    def add(self, evidence: Evidence) -> bool:
        """Keep verified evidence of who has a bond, also after leaving; tell whether it is news."""
        key = key_of(evidence)
        of_signer = sum(known[0] == evidence.signer for known in self._known)
        if key in self._known or of_signer >= MAX_OF_SIGNER or len(self._known) >= MAX_EVIDENCE:
            return False
        if size_of(evidence) > LARGE_BYTES and (of_signer or not self._has_room(evidence)):
            return False
        storage = self._chain.storage_at(self._chain.head)
        if not read_listing(storage, evidence.signer).bond:
            return False
        try:
            save(self._folder, evidence.encode())
        except OSError as error:
            raise EvidenceFault(self._folder, error) from error
        self._known[key] = evidence
        return True

    def _has_room(self, evidence: Evidence) -> bool:
        """Tell whether one more large proof may be kept."""
        sizes = [size_of(known) for known in self._known.values()]
        kept_bytes = sum(size for size in sizes if size > LARGE_BYTES)
        return kept_bytes + size_of(evidence) <= MAX_LARGE_BYTES

    def decode(self, data: bytes) -> Evidence:
        """Read evidence from outside and verify its signatures; raises `BadMessage`."""
        return decode_evidence(data, self._domain, recover_signer)

    def all(self) -> tuple[Evidence, ...]:
        """Return everything that is kept, by validator and height."""
        return tuple(self._known[key] for key in sorted(self._known))


def key_of(evidence: Evidence) -> tuple[bytes, int, int, int]:
    """Return what two proofs of one double vote have in common."""
    return evidence.signer, evidence.height, evidence.round, evidence.code


def size_of(evidence: Evidence) -> int:
    """Return the bytes of what was signed."""
    return len(evidence.first) + len(evidence.second)


def save(folder: Path, encoded: bytes) -> None:
    """Write a proof so that it is there whole, and for good, or not at all."""
    path = folder / f"{keccak256(encoded).hex()}{SUFFIX}"
    partial = path.with_suffix(".new")
    with partial.open("wb") as file:
        file.write(encoded)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
