"""The ValidatorSet as commands ask it, through the JSON-RPC of any node."""

from dataclasses import dataclass
from typing import Any

from cvm.evm.rlp_lists import expect_shape, list_start, split_items
from cvm.evm.strict_rlp import BadRlp
from models_registry.addresses import VALIDATOR_SET
from models_registry.cli.chain_client import ChainClient
from models_registry.cli.files import CannotRead
from models_registry.cli.http_client import RpcClient, octets, quantity
from models_registry.contract_abi import ContractAbi

ABI = ContractAbi("ValidatorSet")
EVIDENCE_PARTS = 5
CERTIFICATES_AT_ONCE = 256
"""As many as a node gives in one answer."""


@dataclass(frozen=True, slots=True)
class Membership:
    """What the contract keeps of an account; `place` counts from 1 and is 0 where it has none."""

    bond: int
    place: int
    from_epoch: int
    until_epoch: int
    is_jailed: bool


@dataclass(frozen=True, slots=True)
class SealedHeight:
    """A final block's certificate; bit i of `signers` is validator i of the height.

    `proven_at` is the time under which the chain knows the certificate's hash, None at the head.
    """

    height: int
    signers: int
    proven_at: int | None
    certificate: bytes


@dataclass(frozen=True, slots=True)
class SetParameters:
    """What the chain chose: wei of a bond, blocks of an epoch, blocks of unbonding."""

    bond: int
    epoch_blocks: int
    unbonding_blocks: int


class ValidatorSetClient:
    """The contract's views, and what a node says of itself."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self.chain = ChainClient(rpc)

    def parameters(self) -> SetParameters:
        """Return what genesis wrote."""
        views = ("bond", "epochBlocks", "unbondingBlocks")
        return SetParameters(*(int(self._ask(view)) for view in views))

    def membership(self, account: bytes) -> Membership:
        """Return what is kept of an account."""
        bond, place, from_epoch, until_epoch, is_jailed = self._ask("memberOf", account)
        return Membership(bond, place, from_epoch, until_epoch, is_jailed)

    def first_known_epoch(self) -> int:
        """Return the first epoch whose validators the contract still knows."""
        return int(self._ask("firstKnownEpoch"))

    def validators_of(self, epoch: int) -> tuple[bytes, ...]:
        """Return the validators of an epoch that is known, in the order of turns."""
        return tuple(map(octets, self._ask("validatorsOf", epoch)))

    def absences(self, validator: bytes, window: int) -> int:
        """Return in how many heights of a window a validator was shown to be absent."""
        return int(self._ask("absencesOf", validator, window))

    def absence_rule(self) -> tuple[int, int]:
        """Return the heights of a window, and of how many one may be absent."""
        return int(self._ask("ABSENCE_WINDOW")), int(self._ask("MAX_ABSENCES"))

    def sealed_heights(self, first: int, last: int) -> list[SealedHeight]:
        """Return the certificates of the heights from `first` to `last`, as far as there are."""
        found: list[SealedHeight] = []
        for start in range(first, last + 1, CERTIFICATES_AT_ONCE):
            end = min(start + CERTIFICATES_AT_ONCE - 1, last)
            found += self._rpc.ask(
                lambda answer: [sealed_height(item) for item in answer],
                "cvm_listCertificates",
                hex(start),
                hex(end),
            )
        return found

    def genesis_hash(self) -> bytes | None:
        """Return the recorded genesis hash, or None while votes cannot be proven."""
        recorded = bytes(self._ask("genesisHash"))
        return recorded if any(recorded) else None

    def node_status(self) -> str:
        """Return `ready`, or why the node could not take part."""
        return self._rpc.ask(lambda answer: str(answer["status"]), "cvm_nodeStatus")

    def evidence(self) -> list[tuple[bytes, bytes]]:
        """Return the double votes that the node knows: validator, and the proof."""
        return self._rpc.ask(
            lambda answer: [(octets(item["validator"]), octets(item["data"])) for item in answer],
            "cvm_listEvidence",
        )

    def _ask(self, function: str, *arguments: object) -> Any:
        output = self.chain.answer(VALIDATOR_SET, ABI.calldata(function, *arguments))
        return ABI.result(function, output)


def sealed_height(item: Any) -> SealedHeight:
    """Read a certificate as cvm_listCertificates gives it."""
    proven_at = item["provenAt"]
    return SealedHeight(
        quantity(item["height"]),
        quantity(item["signers"]),
        None if proven_at is None else quantity(proven_at),
        octets(item["data"]),
    )


def encode_report(evidence: bytes) -> bytes:
    """Return the calldata that reports rlp[code, payload, signature, payload, signature].

    Raises `CannotRead`.
    """
    try:
        items, lists = split_items(evidence, list_start(evidence, 0, "evidence"), len(evidence))
        expect_shape("evidence", items, lists, EVIDENCE_PARTS, [])
    except BadRlp as error:
        raise CannotRead(f"the evidence is none: {error}") from error
    code = int.from_bytes(items[0], "big")
    if code > 0xFF:
        raise CannotRead(f"the evidence is of a message with code {code:#x}; codes are one byte")
    return ABI.calldata("report", code, *items[1:])
