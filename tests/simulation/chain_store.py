"""What a simulated validator has on disk: final blocks, certificates and its own votes."""

from consensus.certificate import CommitCertificate, SealDomain
from consensus.qbft.events import Record
from consensus.qbft.signing import Recover
from cvm.evm.strict_rlp import BadRlp
from tests.simulation.fake_blocks import FakeBlock, decode_fake_block, follows
from tests.simulation.members import Members

NO_CERTIFICATE_HASH = bytes(32)
CERTIFICATES_REMEMBERED = 1 << 14


class CertificateRule:
    """Tells whether certificates are valid, as `consensus.certificate` does, for any signatures."""

    def __init__(self, members: Members, domain: SealDomain, recover: Recover) -> None:
        self._members = members
        self._domain = domain
        self._recover = recover
        self._valid: set[CommitCertificate] = set()

    def holds(self, certificate: CommitCertificate, height: int, header_hash: bytes) -> bool:
        """Tell whether exactly a quorum sealed this block."""
        if (certificate.height, certificate.header_hash) != (height, header_hash):
            return False
        if certificate in self._valid:
            return True
        validators = self._members.at(height)
        count = len(validators)
        signers = [index for index in range(count) if certificate.signers >> index & 1]
        if certificate.signers >> count or len(signers) != -(-2 * count // 3):
            return False
        digest = self._domain.digest(height, certificate.round, header_hash)
        sealed_by = [self._recover(digest, seal) for seal in certificate.seals]
        if sealed_by != [validators[index] for index in signers]:
            return False
        if len(self._valid) > CERTIFICATES_REMEMBERED:
            self._valid.clear()
        self._valid.add(certificate)
        return True


class ChainStore:
    """The chain of one validator; what is in it outlives a crash."""

    def __init__(self, genesis: FakeBlock, rule: CertificateRule, period_s: int) -> None:
        self.blocks = [genesis]
        self.certificates: list[CommitCertificate | None] = [None]
        self.records: list[Record] = []
        self._rule = rule
        self._period_s = period_s

    @property
    def tip(self) -> FakeBlock:
        """Return the last final block."""
        return self.blocks[-1]

    @property
    def height(self) -> int:
        """Return the height of the last final block."""
        return len(self.blocks) - 1

    def is_valid(self, rlp: bytes, parent_certificate: CommitCertificate | None) -> bool:
        """Tell whether bytes are a valid block on the tip, with the certificate it names."""
        block = self.decoded(rlp)
        return (
            block is not None
            and follows(block, self.tip, self._period_s)
            and self._is_parents(block, parent_certificate)
        )

    def decoded(self, rlp: bytes) -> FakeBlock | None:
        """Return the block, None where the bytes are none."""
        try:
            return decode_fake_block(rlp)
        except BadRlp:
            return None

    def _is_parents(self, block: FakeBlock, certificate: CommitCertificate | None) -> bool:
        if certificate is None:
            return self.height == 0 and block.parent_certificate_hash == NO_CERTIFICATE_HASH
        return certificate.hash == block.parent_certificate_hash and self._rule.holds(
            certificate, self.height, self.tip.hash
        )

    def is_certified(self, block: FakeBlock, certificate: CommitCertificate) -> bool:
        """Tell whether a quorum sealed a block."""
        return self._rule.holds(certificate, block.number, block.hash)

    def append(
        self,
        block: FakeBlock,
        certificate: CommitCertificate,
        parent_certificate: CommitCertificate | None,
    ) -> None:
        """Add a final block; the parent's certificate is the one that its header names."""
        self.certificates[-1] = parent_certificate
        self.blocks.append(block)
        self.certificates.append(certificate)
        self.records = []
