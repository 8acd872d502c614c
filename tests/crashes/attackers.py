"""Three validators that hold real TEST keys and show the fourth several blocks for one height."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from consensus.block_execution import Proposal as BlockProposal
from consensus.certificate import CommitCertificate
from consensus.qbft.evidence import header_hash
from consensus.qbft.messages import (
    Commit,
    CommitPayload,
    Message,
    Payload,
    Prepare,
    PreparedClaim,
    PreparePayload,
    Proposal,
    ProposalPayload,
    RoundChange,
    RoundChangePayload,
    SignedRoundChange,
)
from consensus.qbft.signing import KeySigner, SigningDomain
from consensus.qbft.state import State
from node.block_writer import BlockWriter
from node.chain import Chain

VARIANTS = 3
"""Different blocks that one proposer shows for a height."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A message to hand in, with the certificate that its block names."""

    message: Message
    parent_certificate: CommitCertificate | None = None

    def shown(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield height, round and digest where this asks for a vote."""
        payload = self.message.payload
        if isinstance(payload, PreparePayload):
            yield payload.height, payload.round, payload.digest
        elif isinstance(payload, ProposalPayload):
            yield payload.height, payload.round, header_hash(payload.block)


class Attackers:
    """Every validator but the one under attack; all of them conspire."""

    def __init__(
        self, chain: Chain, writer: BlockWriter, signers: Iterable[KeySigner], random: Random
    ) -> None:
        self._chain = chain
        self._writer = writer
        self._signers = {signer.address: signer for signer in signers}
        self._random = random
        self._domain = SigningDomain(chain.domain.chain_id, chain.domain.genesis_hash)
        self._blocks: dict[tuple[int, bytes, int], bytes] = {}

    async def offers(self, state: State) -> list[Offer]:
        """Choose what to say next to a validator in this state."""
        chosen = self._random.random()
        voted = state.own.get(0x14) or state.own.get(0x13)
        if voted is not None and chosen < 0.4:
            return self._votes(state, voted.message, commits=0x14 in state.own)
        if chosen < 0.75:
            return await self._propose(state, state.round + (chosen > 0.7))
        if chosen < 0.85:
            return [*await self._propose(state, state.round), *await self._stray_votes(state)]
        return await self._change_round(state, state.round + 1)

    def _votes(self, state: State, voted: Message, *, commits: bool) -> list[Offer]:
        """Vote with the validator: the round goes on."""
        payload = voted.payload
        if not isinstance(payload, PreparePayload | CommitPayload):
            return []
        cast = self._commit if commits else self._prepare
        voters = self._some(2 if commits else self._random.choice((1, 2, 3)))
        return [cast(voter, payload.height, payload.round, payload.digest) for voter in voters]

    async def _stray_votes(self, state: State) -> list[Offer]:
        """Vote for any block in this round, prepared or not."""
        block = await self._block(state, self._some(1)[0])
        digest, height = header_hash(block), state.height
        cast = self._random.choice((self._prepare, self._commit))
        return [cast(voter, height, state.round, digest) for voter in self._some(2)]

    async def _propose(self, state: State, round_number: int) -> list[Offer]:
        """Propose some block, with round changes that may hide what was prepared before."""
        proposer = state.proposer(round_number)
        if proposer not in self._signers:
            return await self._change_round(state, round_number)
        changes: list[SignedRoundChange] = []
        prepares: list[Prepare] = []
        block = await self._block(state, proposer)
        if round_number:
            listed = await self._round_changes(state, round_number)
            changes = [each.signed for each in listed]
            claimed = next((each for each in listed if each.block is not None), None)
            if claimed is not None and claimed.block is not None:
                block, prepares = claimed.block, list(claimed.prepares)
        payload = ProposalPayload(state.height, round_number, block)
        signature = self._sign(proposer, payload)
        return [self._offer(Proposal(payload, signature, tuple(changes), tuple(prepares)))]

    async def _change_round(self, state: State, round_number: int) -> list[Offer]:
        """Send round changes of some of them: two make the validator follow."""
        if round_number == 0:
            return []
        listed = await self._round_changes(state, round_number)
        return [self._offer(each) for each in listed[: self._random.choice((1, 2, 3))]]

    async def _round_changes(self, state: State, round_number: int) -> list[RoundChange]:
        """Return one round change of each, one of them with a claim in half of the cases."""
        claim, block, prepares = await self._claim(state, round_number)
        made = []
        for index, voter in enumerate(self._some(len(self._signers))):
            claims = index == 0 and claim is not None
            payload = RoundChangePayload(state.height, round_number, claim if claims else None)
            signed = SignedRoundChange(payload, self._sign(voter, payload))
            made.append(
                RoundChange(signed, block, prepares) if claims else RoundChange(signed, None, ())
            )
        return made

    async def _claim(
        self, state: State, round_number: int
    ) -> tuple[PreparedClaim | None, bytes | None, tuple[Prepare, ...]]:
        """Return a claim that three prepares prove, or none."""
        earlier = self._random.randrange(round_number)
        proposer = state.proposer(earlier)
        if proposer not in self._signers or self._random.random() < 0.5:
            return None, None, ()
        block = await self._block(state, proposer)
        prepares = [
            self._prepare(voter, state.height, earlier, header_hash(block)).message
            for voter in self._signers
        ]
        proof = tuple(each for each in prepares if isinstance(each, Prepare))
        return PreparedClaim(earlier, header_hash(block)), block, proof

    def _offer(self, message: Message) -> Offer:
        return Offer(message, self._chain.certificate_at(message.payload.height - 1))

    def _prepare(self, voter: bytes, height: int, round_number: int, digest: bytes) -> Offer:
        payload = PreparePayload(height, round_number, digest)
        return Offer(Prepare(payload, self._sign(voter, payload)))

    def _commit(self, voter: bytes, height: int, round_number: int, digest: bytes) -> Offer:
        sealed = self._chain.domain.digest(height, round_number, digest)
        payload = CommitPayload(height, round_number, digest, self._signers[voter].sign(sealed))
        return Offer(Commit(payload, self._sign(voter, payload)))

    def _sign(self, voter: bytes, payload: Payload) -> bytes:
        return self._signers[voter].sign(self._domain.digest(payload.CODE, payload.encode()))

    def _some(self, count: int) -> list[bytes]:
        return self._random.sample(sorted(self._signers), count)

    async def _block(self, state: State, proposer: bytes) -> bytes:
        """Build one of the blocks of a proposer; every one of them is valid."""
        key = (state.height, proposer, self._random.randrange(VARIANTS))
        if key not in self._blocks:
            timestamp = self._chain.head.timestamp + self._chain.parameters.period_s + key[2]
            proposal = BlockProposal(proposer, timestamp)
            checked, _left_out = await self._writer.build(proposal, [])
            self._blocks[key] = checked.block.encode()
        return self._blocks[key]
