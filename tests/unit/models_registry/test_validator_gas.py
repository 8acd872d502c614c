"""The table of what validators pay is what this chain's EVM charges."""

import pytest

from consensus.certificate import CommitCertificate, quorum
from consensus.qbft.messages import CommitPayload, Payload, PreparePayload
from consensus.qbft.signing import KeySigner
from models_registry.addresses import VALIDATOR_SET
from models_registry.attestation import attestation_digest, sign_attestation
from models_registry.genesis import RegistryParameters, ValidatorParameters, genesis_accounts
from models_registry.registry_calls import encode_activate
from tests.documents import ROOT, section, table_rows
from tests.unit.models_registry.contract_host import CHAIN_ID, Answer
from tests.unit.models_registry.registry_chain import (
    MODEL,
    RECORD,
    RegistryChain,
    marked_test_key,
    record_hash,
)
from tests.unit.models_registry.validator_chain import (
    ABI,
    BLOCK_A,
    BLOCK_B,
    REPORTER,
    VALIDATORS,
    ValidatorChain,
    signed,
    timestamp_of,
)

PARAMETERS = ValidatorParameters(bond=10**20, epoch_blocks=100, unbonding_blocks=500)
NEW = VALIDATORS[-1]
SEAL = b"\x5e" * 65
CERTIFICATES = range(3_000, 3_080)
CALLS = {
    "recordGenesisHash",
    "join",
    "leave",
    "withdraw",
    "report, two prepares",
    "report, two commits",
    "vacate",
    "reportAbsence, 80 certificates",
    "validators(), without a transaction",
    "activate, just enough signatures",
}


def charged(answer: Answer, data: bytes) -> int:
    """Return what a transaction with this calldata pays (EIP-2028, EIP-7623)."""
    zeros = data.count(0)
    others = len(data) - zeros
    return 21_000 + max(4 * zeros + 16 * others + answer.gas_used, 10 * zeros + 40 * others)


def measured(count: int) -> dict[str, int]:
    """Return the gas of each call in a set of so many validators."""
    keys = [marked_test_key(number) for number in range(1_001, 1_001 + count)]
    signers = [KeySigner(key.to_bytes()) for key in keys]
    chain = ValidatorChain(parameters=PARAMETERS)
    accounts = genesis_accounts(
        [signer.address for signer in signers], RegistryParameters(), PARAMETERS
    )
    chain.place(VALIDATOR_SET, accounts[VALIDATOR_SET].code, dict(accounts[VALIDATOR_SET].storage))
    chain.fund(VALIDATOR_SET, count * PARAMETERS.bond)
    chain.height = 2_000
    found: dict[str, int] = {}

    def pay(name: str, sender: bytes, function: str, *arguments: object, value: int = 0) -> None:
        answer = chain.call(sender, function, *arguments, value=value)
        found[name] = charged(answer, ABI.calldata(function, *arguments))

    def report(name: str, signer: KeySigner, first: Payload, second: Payload) -> None:
        votes = first.encode(), signed(signer, first), second.encode(), signed(signer, second)
        pay(name, REPORTER, "report", first.CODE, *votes)

    pay("recordGenesisHash", REPORTER, "recordGenesisHash")
    pay("join", NEW, "join", value=PARAMETERS.bond)
    pay("leave", NEW, "leave")
    chain.height = 4_000
    pay("withdraw", NEW, "withdraw", NEW)
    prepares = PreparePayload(7, 1, BLOCK_A), PreparePayload(7, 1, BLOCK_B)
    report("report, two prepares", signers[1], *prepares)
    commits = CommitPayload(7, 1, BLOCK_A, SEAL), CommitPayload(7, 1, BLOCK_B, SEAL)
    report("report, two commits", signers[2], *commits)
    pay(
        "reportAbsence, 80 certificates",
        REPORTER,
        "reportAbsence",
        signers[-1].address,
        [timestamp_of(height) for height in CERTIFICATES],
        [sealed(chain, height, count) for height in CERTIFICATES],
    )
    chain.height = 5_000
    pay("vacate", REPORTER, "vacate", signers[1].address)
    return found


def sealed(chain: ValidatorChain, height: int, count: int) -> bytes:
    """Return a proven certificate with a quorum's seals, without the last validator."""
    needed = quorum(count)
    bitmap = (1 << needed) - 1
    encoded = CommitCertificate(height, 0, b"\x1d" * 32, bitmap, (SEAL,) * needed).encode()
    chain.prove(timestamp_of(height), encoded)
    return encoded


def activation(count: int) -> int:
    """Return what `activate` pays with just enough signatures."""
    keys = [marked_test_key(number) for number in range(1, count + 1)]
    chain = RegistryChain(validator_keys=keys)
    chain.commit_and_register()
    digest = attestation_digest(CHAIN_ID, MODEL, 1, record_hash())
    signatures = tuple(sign_attestation(key, digest) for key in keys[-(2 * count // 3 + 1) :])
    data = encode_activate(MODEL, RECORD.encode(), signatures)
    return charged(chain.activate(signatures), data)


@pytest.mark.parametrize(("column", "count"), [(1, 4), (2, 100)], ids=["4", "100"])
def test_the_table_is_what_is_charged(column: int, count: int) -> None:
    readme = (ROOT / "models-registry/contracts/README.md").read_text(encoding="utf-8")
    rows = table_rows(section(readme.replace("`", ""), "The validator set"))
    stated = {row[0]: int(row[column].replace(",", "")) for row in rows if row[0] in CALLS}
    chain = RegistryChain(validator_keys=[marked_test_key(n) for n in range(1, count + 1)])
    view = chain.send(bytes(20), VALIDATOR_SET, ABI.calldata("validators"))
    assert stated == measured(count) | {
        "validators(), without a transaction": view.gas_used,
        "activate, just enough signatures": activation(count),
    }
