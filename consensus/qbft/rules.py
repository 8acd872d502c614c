"""What a node brings to `step.step` and never changes: key, domains, timeouts, block reader."""

from collections.abc import Callable
from dataclasses import dataclass

from consensus.certificate import SealDomain
from consensus.qbft.events import ProposedHeader
from consensus.qbft.signing import Recover, Signer, SigningDomain, recover_signer


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Times in milliseconds; the defaults are PROTOCOL section 5's and section 1's.

    Round r may take `round_ms` * 2**r.
    """

    round_ms: int = 6_000
    resend_ms: int = 1_000
    header_ahead_ms: int = 2_000


@dataclass(frozen=True, slots=True)
class Rules:
    """The node's part of consensus. `signer` is None for a node that only follows.

    `read_proposed_header` takes a block's bytes and returns None unless they are exactly the
    block that its header names, roots of the body included: a digest stands for the whole block.
    """

    signer: Signer | None
    domain: SigningDomain
    seals: SealDomain
    read_proposed_header: Callable[[bytes], ProposedHeader | None]
    recover: Recover = recover_signer
    timeouts: Timeouts = Timeouts()
