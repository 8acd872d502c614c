"""Proof of double votes that this node has seen or heard of, kept until somebody reports it."""

from pathlib import Path

from consensus.qbft.evidence import Evidence, decode_evidence
from consensus.qbft.signing import SigningDomain, recover_signer
from cvm.evm.keccak import keccak256
from node.chain import Chain

MAX_EVIDENCE = 256
SUFFIX = ".rlp"


class EvidencePool:
    """One proof for each validator, code, height and round; a file each, so that none is lost."""

    def __init__(self, chain: Chain, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._chain = chain
        self._folder = folder
        domain = chain.domain
        self._domain = SigningDomain(domain.chain_id, domain.genesis_hash)
        self._known: dict[tuple[bytes, int, int, int], Evidence] = {}
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            evidence = decode_evidence(path.read_bytes(), self._domain, recover_signer)
            self._known[key_of(evidence)] = evidence

    def add(self, evidence: Evidence) -> bool:
        """Keep verified evidence of a validator; tell whether it is news."""
        key = key_of(evidence)
        if key in self._known or len(self._known) >= MAX_EVIDENCE:
            return False
        if evidence.signer not in self._chain.validators():
            return False
        encoded = evidence.encode()
        path = self._folder / f"{keccak256(encoded).hex()}{SUFFIX}"
        partial = path.with_suffix(".new")
        partial.write_bytes(encoded)
        partial.replace(path)
        self._known[key] = evidence
        return True

    def decode(self, data: bytes) -> Evidence:
        """Read evidence from outside and verify its signatures; raises `BadMessage`."""
        return decode_evidence(data, self._domain, recover_signer)

    def all(self) -> tuple[Evidence, ...]:
        """Return everything that is kept, by validator and height."""
        return tuple(self._known[key] for key in sorted(self._known))


def key_of(evidence: Evidence) -> tuple[bytes, int, int, int]:
    """Return what two proofs of one double vote have in common."""
    return evidence.signer, evidence.height, evidence.round, evidence.code
