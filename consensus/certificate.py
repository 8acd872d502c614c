"""The commit certificate C(H): a quorum's seals that make a block final (PROTOCOL section 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

import rlp
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException
from rlp.sedes import Binary, CountableList, List, big_endian_int

from consensus.faults import BadCertificate
from cvm.evm.strict_rlp import BadRlp, decode_rlp

SEAL_BYTES = 65
UINT64_BITS = 64
HALF_CURVE_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
SEDES = List(
    [
        big_endian_int,
        big_endian_int,
        Binary.fixed_length(32),
        big_endian_int,
        CountableList(Binary.fixed_length(SEAL_BYTES)),
    ]
)


@dataclass(frozen=True, slots=True)
class CommitCertificate:
    """rlp[height, round, headerHash, signer bitmap, seals by index]; bit i is validator i."""

    height: int
    round: int
    header_hash: bytes
    signers: int
    seals: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the RLP."""
        return bytes(
            rlp.encode(
                [self.height, self.round, self.header_hash, self.signers, list(self.seals)], SEDES
            )
        )

    @property
    def hash(self) -> bytes:
        """Return keccak256 of the RLP: the next header's `parentBeaconBlockRoot`."""
        return bytes(keccak(self.encode()))


@dataclass(frozen=True, slots=True)
class SealDomain:
    """Which chain a seal speaks of, so that it proves nothing on another."""

    chain_id: int
    genesis_hash: bytes

    def digest(self, height: int, round_number: int, header_hash: bytes) -> bytes:
        """Return what a validator signs to commit to a header."""
        payload = [
            b"cvm-commit",
            self.chain_id,
            self.genesis_hash,
            height,
            round_number,
            header_hash,
        ]
        return bytes(keccak(rlp.encode(payload)))


def decode_certificate(data: bytes) -> CommitCertificate:
    """Decode bytes from outside; raises `BadCertificate`."""
    try:
        height, round_number, header_hash, signers, seals = SEDES.deserialize(decode_rlp(data))
    except (BadRlp, RLPException, TypeError, ValueError) as error:
        raise BadCertificate(0, f"not RLP of the right shape: {str(error)[:120]}") from error
    for name, value in (("height", height), ("round", round_number)):
        if value.bit_length() > UINT64_BITS:
            raise BadCertificate(0, f"{name} has {value.bit_length()} bits, at most {UINT64_BITS}")
    return CommitCertificate(height, round_number, header_hash, signers, tuple(seals))


def quorum(validator_count: int) -> int:
    """Return how many validators decide: ceil(2n / 3)."""
    return -(-2 * validator_count // 3)


def seal(
    domain: SealDomain, key: PrivateKey, height: int, round_number: int, header_hash: bytes
) -> bytes:
    """Sign a header: 65 bytes r || s || v."""
    return bytes(key.sign_msg_hash(domain.digest(height, round_number, header_hash)).to_bytes())


def certify(
    height: int, round_number: int, header_hash: bytes, seals: Sequence[tuple[int, bytes]]
) -> CommitCertificate:
    """Assemble a certificate from (validator index, seal) pairs."""
    ordered = sorted(seals)
    signers = sum(1 << index for index, _seal in ordered)
    return CommitCertificate(
        height, round_number, header_hash, signers, tuple(item for _index, item in ordered)
    )


def validate_certificate(
    certificate: CommitCertificate,
    domain: SealDomain,
    validators: Sequence[bytes],
    header_hash: bytes,
    height: int,
) -> None:
    """Check that exactly a quorum of `validators` sealed this header; raises `BadCertificate`."""
    if (certificate.height, certificate.header_hash) != (height, header_hash):
        raise BadCertificate(
            height,
            f"is for block {certificate.height} 0x{certificate.header_hash.hex()}, "
            f"not 0x{header_hash.hex()}",
        )
    indices = [index for index in range(len(validators)) if certificate.signers >> index & 1]
    if certificate.signers >> len(validators):
        raise BadCertificate(height, f"names signers beyond the {len(validators)} validators")
    needed = quorum(len(validators))
    if len(indices) != needed or len(certificate.seals) != needed:
        raise BadCertificate(
            height, f"{len(certificate.seals)} seals by {len(indices)} signers, needs {needed}"
        )
    digest = domain.digest(height, certificate.round, header_hash)
    for index, signature in zip(indices, certificate.seals, strict=True):
        signer = recover(digest, signature, height)
        if signer != validators[index]:
            raise BadCertificate(
                height,
                f"seal {index} is by 0x{signer.hex()}, not by 0x{validators[index].hex()}",
            )


def recover(digest: bytes, signature: bytes, height: int) -> bytes:
    """Return the signer's address; raises `BadCertificate`, also for a malleable high s."""
    try:
        parsed = Signature(signature)
        if parsed.s > HALF_CURVE_ORDER:
            raise BadCertificate(height, f"seal with a high s: {parsed.s:#x}")
        key = parsed.recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError) as error:
        raise BadCertificate(height, f"seal does not recover: {error}") from error
    return bytes(key.to_canonical_address())
