"""The commit certificate C(H): a quorum's seals that make a block final (PROTOCOL section 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from consensus.faults import BadCertificate
from cvm.evm.keccak import HASH_BYTES, keccak256
from cvm.evm.private_key import PrivateKey
from cvm.evm.rlp_encoding import encode_bytes, encode_integer, encode_list
from cvm.evm.rlp_lists import (
    UINT64_BYTES,
    expect_shape,
    fixed_bytes,
    integer,
    list_start,
    split_items,
)
from cvm.evm.signatures import HALF_CURVE_ORDER, recover_address
from cvm.evm.strict_rlp import BadRlp

SEAL_BYTES = 65


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
        numbers = encode_integer(self.height) + encode_integer(self.round)
        seals = encode_list(b"".join(map(encode_bytes, self.seals)))
        signers = encode_integer(self.signers)
        return encode_list(numbers + encode_bytes(self.header_hash) + signers + seals)

    @property
    def hash(self) -> bytes:
        """Return keccak256 of the RLP: the next header's `parentBeaconBlockRoot`."""
        return keccak256(self.encode())


@dataclass(frozen=True, slots=True)
class SealDomain:
    """Which chain a seal speaks of, so that it proves nothing on another."""

    chain_id: int
    genesis_hash: bytes

    def digest(self, height: int, round_number: int, header_hash: bytes) -> bytes:
        """Return what a validator signs to commit to a header."""
        payload = (
            encode_bytes(b"cvm-commit"),
            encode_integer(self.chain_id),
            encode_bytes(self.genesis_hash),
            encode_integer(height),
            encode_integer(round_number),
            encode_bytes(header_hash),
        )
        return keccak256(encode_list(b"".join(payload)))


def decode_certificate(data: bytes) -> CommitCertificate:
    """Decode bytes from outside; raises `BadCertificate`."""
    try:
        return certificate_of(data)
    except BadRlp as error:
        raise BadCertificate(0, f"not RLP of the right shape: {error}") from error


def certificate_of(data: bytes) -> CommitCertificate:
    """Read the RLP of a certificate; raises `BadRlp`. The bitmap may have any length."""
    name = "a certificate"
    items, lists = split_items(data, list_start(data, 0, name), len(data))
    expect_shape(name, items, lists, 5, [4])
    height, round_number, header_hash, signers, payload = items
    seals, kinds = split_items(payload, 0, len(payload), SEAL_BYTES)
    expect_shape("the seals", seals, kinds, len(seals), [])
    return CommitCertificate(
        integer("height", height, UINT64_BYTES),
        integer("round", round_number, UINT64_BYTES),
        fixed_bytes("headerHash", header_hash, HASH_BYTES),
        integer("signers", signers, len(signers)),
        tuple(fixed_bytes("a seal", item, SEAL_BYTES) for item in seals),
    )


def quorum(validator_count: int) -> int:
    """Return how many validators decide: ceil(2n / 3)."""
    return -(-2 * validator_count // 3)


def seal(
    domain: SealDomain, key: PrivateKey, height: int, round_number: int, header_hash: bytes
) -> bytes:
    """Sign a header: 65 bytes r || s || v."""
    return key.sign(domain.digest(height, round_number, header_hash))


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
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    signer = recover_address(digest, signature[64], r, s) if len(signature) == SEAL_BYTES else None
    if signer is None:
        raise BadCertificate(height, f"seal does not recover: 0x{signature.hex()}")
    if s > HALF_CURVE_ORDER:
        raise BadCertificate(height, f"seal with a high s: {s:#x}")
    return signer
