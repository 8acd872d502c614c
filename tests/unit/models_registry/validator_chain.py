"""A validator set in genesis with four validators, their votes, and certificates it can check."""

from collections.abc import Callable, Iterable, Sequence

import pytest

from consensus.certificate import CommitCertificate
from consensus.qbft.messages import Payload, PreparePayload
from consensus.qbft.signing import KeySigner, SigningDomain
from consensus.system_contracts import BEACON_ROOTS_CONTRACT_CODE, HISTORY_STORAGE_CONTRACT_CODE
from cvm.evm.keccak import keccak256
from cvm.evm.system_calls import BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS
from models_registry.addresses import VALIDATOR_SET
from models_registry.contract_abi import ContractAbi
from models_registry.genesis import RegistryParameters, ValidatorParameters, genesis_accounts
from models_registry.registry import Listing, read_listing, read_validators
from tests.unit.models_registry.contract_host import CHAIN_ID, Answer, ContractHost, Reverted
from tests.unit.models_registry.registry_chain import marked_test_key

ABI = ContractAbi("ValidatorSet")
PARAMETERS = ValidatorParameters(bond=10**20, epoch_blocks=10, unbonding_blocks=30)
SIGNERS = tuple(KeySigner(marked_test_key(number).to_bytes()) for number in range(1, 11))
"""The first are validators in genesis."""
VALIDATORS = tuple(signer.address for signer in SIGNERS)
REPORTER = b"\x0e" * 20
GENESIS_HASH = b"\x9e" * 32
DOMAIN = SigningDomain(CHAIN_ID, GENESIS_HASH)
BLOCK_A, BLOCK_B = b"\xaa" * 32, b"\xbb" * 32
BUFFER = 8191
"""Entries of the ring buffers of EIP-2935 and EIP-4788."""


def signed(signer: KeySigner, payload: Payload, domain: SigningDomain = DOMAIN) -> bytes:
    """Return a signature of a payload."""
    return signer.sign(domain.digest(payload.CODE, payload.encode()))


def refused(call: Callable[[], object], error: str, *values: object) -> None:
    """Check that a message reverts with exactly this error."""
    with pytest.raises(Reverted) as caught:
        call()
    assert ABI.error_name(caught.value.data) == error
    assert caught.value.data == ABI.error(error, *values)


def certificate(height: int, signers: Iterable[int]) -> bytes:
    """Return a certificate as it is encoded; the contract proves it by its hash, not by seals."""
    bitmap = sum(1 << index for index in signers)
    return CommitCertificate(height, 0, b"\x1d" * 32, bitmap, (b"\x5e" * 65,)).encode()


def timestamp_of(height: int) -> int:
    """Return the time of the block after a certified height."""
    return 1_600_000_000 + height


class ValidatorChain(ContractHost):
    """The genesis state, and messages to the validator set; the accounts of SIGNERS are rich."""

    def __init__(self, validators: int = 4, parameters: ValidatorParameters = PARAMETERS) -> None:
        super().__init__()
        self.parameters = parameters
        accounts = genesis_accounts(VALIDATORS[:validators], RegistryParameters(), parameters)
        account = accounts[VALIDATOR_SET]
        self.place(VALIDATOR_SET, account.code, dict(account.storage))
        self.fund(VALIDATOR_SET, account.balance)
        history = {0: int.from_bytes(GENESIS_HASH, "big")}
        self.place(bytes(HISTORY_STORAGE_ADDRESS), HISTORY_STORAGE_CONTRACT_CODE, history)
        self.place(bytes(BEACON_ROOTS_ADDRESS), BEACON_ROOTS_CONTRACT_CODE)
        for address in VALIDATORS:
            self.fund(address, 10 * parameters.bond)

    def call(self, sender: bytes, function: str, *arguments: object, value: int = 0) -> Answer:
        """Send a message to the validator set."""
        return self.send(sender, VALIDATOR_SET, ABI.calldata(function, *arguments), value)

    def ask(self, function: str, *arguments: object) -> object:
        """Call a view."""
        output = self.send(bytes(20), VALIDATOR_SET, ABI.calldata(function, *arguments)).output
        return ABI.result(function, output)

    def listed(self, function: str = "validators", *arguments: object) -> tuple[bytes, ...]:
        """Return the addresses that a view lists."""
        addresses = self.ask(function, *arguments)
        assert isinstance(addresses, tuple)
        return tuple(bytes.fromhex(address[2:]) for address in addresses)

    def read(self, height: int | None = None) -> tuple[bytes, ...]:
        """Return what the reader says of a height, of this one if none is given."""
        return read_validators(self.storage, self.height if height is None else height)

    def listing(self, account: bytes) -> Listing:
        return read_listing(self.storage, account)

    def join(self, account: bytes) -> Answer:
        return self.call(account, "join", value=self.parameters.bond)

    def to_epoch(self, epoch: int) -> None:
        """Go to an epoch's first height."""
        self.height = epoch * self.parameters.epoch_blocks

    def report(
        self,
        first: Payload,
        second: Payload,
        signer: KeySigner = SIGNERS[0],
        signatures: tuple[bytes, bytes] | None = None,
        sender: bytes = REPORTER,
    ) -> Answer:
        """Report two payloads, signed by one signer unless signatures are given."""
        if signatures is None:
            signatures = signed(signer, first), signed(signer, second)
        return self.call(
            sender,
            "report",
            first.CODE,
            first.encode(),
            signatures[0],
            second.encode(),
            signatures[1],
        )

    def report_two_prepares(self, signer: KeySigner = SIGNERS[0]) -> Answer:
        """Report the plainest evidence."""
        return self.report(PreparePayload(7, 0, BLOCK_A), PreparePayload(7, 0, BLOCK_B), signer)

    def certify(self, height: int, signers: Iterable[int]) -> bytes:
        """Return a certificate that the block after its height has named."""
        encoded = certificate(height, signers)
        self.prove(timestamp_of(height), encoded)
        return encoded

    def prove(self, time: int, encoded: bytes) -> None:
        """Let EIP-4788's contract know the hash of a certificate, as of a block of that time."""
        self.write(bytes(BEACON_ROOTS_ADDRESS), time % BUFFER, time)
        root = int.from_bytes(keccak256(encoded), "big")
        self.write(bytes(BEACON_ROOTS_ADDRESS), time % BUFFER + BUFFER, root)

    def report_absence(
        self, validator: bytes, heights: Sequence[int], signers: Sequence[int] = (1, 2, 3)
    ) -> Answer:
        """Report certificates of these heights by these indices."""
        certificates = [self.certify(height, signers) for height in heights]
        times = [timestamp_of(height) for height in heights]
        return self.call(REPORTER, "reportAbsence", validator, times, certificates)
