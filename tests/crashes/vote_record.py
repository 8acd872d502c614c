"""Everything that one validator sent over all its lives, checked for what it must never send."""

from dataclasses import dataclass, field

from consensus.qbft.messages import (
    COMMIT,
    PREPARE,
    ROUND_CHANGE,
    Commit,
    CommitPayload,
    Message,
    PreparePayload,
    RoundChange,
)

Place = tuple[int, int, int]


@dataclass
class VoteRecord:
    """Messages by code, height and round; `violations` says what was wrong."""

    quorum: int
    violations: list[str] = field(default_factory=list)
    temptations: int = 0
    """Proposals and prepares that it was offered against its own vote of the same round."""

    _payloads: dict[Place, bytes] = field(default_factory=dict)
    _seals: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _votes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _left: dict[int, int] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Return how many different messages were sent, by code."""
        counts: dict[str, int] = {}
        for code, _height, _round in self._payloads:
            counts[f"0x{code:02x}"] = counts.get(f"0x{code:02x}", 0) + 1
        return dict(sorted(counts.items()))

    def rounds(self) -> int:
        """Return the highest round of any message."""
        return max((round_number for _code, _height, round_number in self._payloads), default=0)

    def heights(self) -> int:
        """Return at how many heights something was sent."""
        return len({height for _code, height, _round in self._payloads})

    def offered(self, height: int, round_number: int, digest: bytes) -> None:
        """Note that the validator was shown a block in a round."""
        self.temptations += self._votes.get((height, round_number), digest) != digest

    def sent(self, message: Message) -> None:
        """Note a message that left the validator."""
        payload = message.payload
        place = (payload.CODE, payload.height, payload.round)
        encoded = payload.encode()
        if self._payloads.setdefault(place, encoded) != encoded:
            self._blame("a double vote", place)
        if isinstance(payload, PreparePayload | CommitPayload):
            self._note_vote(place, payload.digest)
        if isinstance(message, Commit):
            self._note_seal(place, message)
        if isinstance(message, RoundChange):
            self._note_round_change(place, message)

    def _note_vote(self, place: Place, digest: bytes) -> None:
        _code, height, round_number = place
        if self._votes.setdefault((height, round_number), digest) != digest:
            self._blame("a prepare and a commit of different blocks", place)
        if round_number < self._left.get(height, 0):
            self._blame("a vote in a round that it had left", place)

    def _note_seal(self, place: Place, message: Commit) -> None:
        _code, height, round_number = place
        digest = message.payload.digest
        if self._seals.setdefault((height, round_number), digest) != digest:
            self._blame("two commit seals of one round", place)

    def _note_round_change(self, place: Place, message: RoundChange) -> None:
        """Demand of a round change the proof of what was committed to: a commit binds."""
        _code, height, round_number = place
        self._left[height] = max(round_number, self._left.get(height, 0))
        committed = [at for of, at in self._seals if of == height and at < round_number]
        if not committed:
            return
        last, claim = max(committed), message.payload.prepared
        if claim is None or claim.round < last:
            self._blame("a round change that forgets a commit", place)
        elif claim.round == last and claim.digest != self._seals[height, last]:
            self._blame("a round change that claims another block than was committed to", place)
        elif not self._proves(message):
            self._blame("a round change without the proof of its claim", place)

    def _proves(self, message: RoundChange) -> bool:
        claim = message.payload.prepared
        prepares = {each.signature for each in message.prepares}
        said = {(each.payload.round, each.payload.digest) for each in message.prepares}
        return (
            claim is not None
            and message.block is not None
            and len(prepares) >= self.quorum
            and said == {(claim.round, claim.digest)}
        )

    def _blame(self, what: str, place: Place) -> None:
        code, height, round_number = place
        names = {PREPARE: "prepare", COMMIT: "commit", ROUND_CHANGE: "round change"}
        name = names.get(code, "proposal")
        self.violations.append(f"{what}: {name} of height {height}, round {round_number}")
