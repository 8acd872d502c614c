"""`cvm validator report-absence` gathers certificates for the real contract behind a fake node."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from consensus.system_contracts import BEACON_ROOTS_CONTRACT_CODE
from cvm.evm.keccak import keccak256
from cvm.evm.system_calls import BEACON_ROOTS_ADDRESS
from models_registry.addresses import VALIDATOR_SET
from models_registry.registry import read_listing
from node.cli.absence import first_batch
from node.cli.validator import add_commands
from node.cli.validator_set import ABI, SealedHeight
from tests.unit.models_registry.fake_node import FakeNode, serving
from tests.unit.models_registry.model_cli import use_fake_clock
from tests.unit.models_registry.registry_chain import VALIDATOR_KEYS, address_of, marked_test_key
from tests.unit.models_registry.validator_chain import BUFFER, certificate

pytestmark = pytest.mark.network
REPORTER_KEY, NEW = marked_test_key(77), address_of(marked_test_key(78))
ABSENT = address_of(VALIDATOR_KEYS[0])
NAME = "0x" + ABSENT.hex()
BOND = 32_000 * 10**18
VARIABLE = "TEST_REPORTER_KEY"
PRESENT = (1, 2, 3)
EVERYBODY_ELSE = (0, 1, 2)


def time_of(height: int) -> int:
    """Return the time that the fake node gives a block."""
    return 1_700_000_000 + 2 * height


class SealingNode(FakeNode):
    """A node whose certificates the test chooses; the contract of EIP-4788 knows them."""

    def __init__(self) -> None:
        super().__init__(validators=4)
        self._signers: dict[int, tuple[int, ...]] = {}
        self.chain.place(bytes(BEACON_ROOTS_ADDRESS), BEACON_ROOTS_CONTRACT_CODE)

    def method(self, name: str) -> Callable[..., Any]:
        if name == "cvm_listCertificates":
            return self._listed
        return self._plenty if name == "eth_estimateGas" else super().method(name)

    def _plenty(self, call: dict[str, str]) -> str:
        """Return gas for a transaction full of certificates, where the call succeeds."""
        super().method("eth_estimateGas")(call)
        return hex(10_000_000)

    def seal(self, heights: Iterable[int], signers: tuple[int, ...]) -> None:
        """Have the blocks of some heights sealed by the validators with these indices."""
        for height in heights:
            self._signers[height] = signers
            time = time_of(height + 1)
            root = int.from_bytes(keccak256(certificate(height, signers)), "big")
            self.chain.write(bytes(BEACON_ROOTS_ADDRESS), time % BUFFER, time)
            self.chain.write(bytes(BEACON_ROOTS_ADDRESS), time % BUFFER + BUFFER, root)

    def _listed(self, first: str, last: str) -> list[dict[str, str | None]]:
        return [
            {
                "height": hex(height),
                "signers": hex(sum(1 << index for index in self._signers[height])),
                "provenAt": hex(time_of(height + 1)) if height < self.chain.height else None,
                "data": "0x" + certificate(height, self._signers[height]).hex(),
            }
            for height in range(int(first, 16), int(last, 16) + 1)
            if height in self._signers
        ]


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> SealingNode:
    use_fake_clock(monkeypatch)
    monkeypatch.setenv(VARIABLE, REPORTER_KEY.to_hex())
    node = SealingNode()
    node.chain.fund(address_of(REPORTER_KEY), 10**18)
    return node


@pytest.fixture
def url(node: SealingNode) -> Iterator[str]:
    with serving(node) as address:
        yield address


def run(url: str, *arguments: str) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    add_commands(app)
    words = ["validator", "report-absence", *arguments, "--rpc", url, "--key-env", VARIABLE]
    return CliRunner().invoke(app, words)


def told(url: str, *arguments: str) -> dict[str, Any]:
    result = run(url, *arguments, "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def refusal(node: FakeNode, url: str, *arguments: str, status: int = 1) -> str:
    """Return what is said where nothing is sent."""
    result = run(url, *arguments)
    assert result.exit_code == status, result.output
    assert "eth_sendRawTransaction" not in node.calls
    return result.stderr


def test_who_is_mostly_absent_loses_its_seat_and_keeps_its_bond(
    node: SealingNode, url: str
) -> None:
    node.chain.height = 1_200
    node.seal(range(1, 400), EVERYBODY_ELSE)
    node.seal(range(400, 1_200), PRESENT)
    found = told(url, NAME)
    assert (found["window"], found["absences"], found["allowed"]) == (0, 501, 500)
    assert (found["validator"], found["bondWei"], found["jailed"]) == (NAME, BOND, False)
    assert found["untilHeight"] == 1_300
    assert list(found["transactions"]) == ["reportAbsence 400-813", "reportAbsence 814-900"]
    listing = read_listing(node.chain.storage, ABSENT)
    assert (listing.bond, listing.is_jailed) == (BOND, False)


def test_too_few_absences_are_not_sent_and_the_nearest_window_is_told(
    node: SealingNode, url: str
) -> None:
    node.chain.height = 1_100
    node.seal(range(1, 1_100), EVERYBODY_ELSE)
    node.seal(range(500, 800), PRESENT)
    said = refusal(node, url, NAME)
    assert "more than 500 absences in one window of 1,000 heights" in said
    assert "certificates of window 0 show 300 of 999 so far, 300 of them provable" in said


def test_what_is_reported_of_a_named_window_adds_up(node: SealingNode, url: str) -> None:
    node.chain.height = 1_100
    node.seal(range(1, 301), PRESENT)
    assert told(url, NAME, "--window", "0")["absences"] == 300
    node.seal(range(301, 502), PRESENT)
    found = told(url, NAME)
    assert (found["absences"], found["untilHeight"]) == (501, 1_200)


def test_only_what_the_chain_can_still_check_is_sent(node: SealingNode, url: str) -> None:
    """At height 6,000 the time of block 1,935 is 8,130 s ago."""
    node.chain.height = 6_000
    node.seal(range(1_000, 2_000), PRESENT)
    found = told(url, NAME, "--window", "1")
    assert 0 < found["absences"] <= 65
    assert next(iter(found["transactions"])).startswith("reportAbsence 19")
    node.calls.clear()
    node.chain.height = 7_000
    said = refusal(node, url, NAME, "--window", "1")
    assert "nothing to report" in said
    assert "1000 of 1000 certificates lack it" in said


def test_nobody_is_absent_before_its_first_epoch(node: SealingNode, url: str) -> None:
    node.chain.height = 1_000
    node.chain.fund(NEW, BOND)
    node.chain.send(NEW, VALIDATOR_SET, ABI.calldata("join"), BOND)
    node.seal(range(1_000, 1_300), PRESENT)
    node.chain.height = 1_300
    found = told(url, "0x" + NEW.hex(), "--window", "1")
    assert (found["fromHeight"], found["absences"]) == (1_100, 200)


@pytest.mark.parametrize(
    ("account", "status", "words"),
    [
        pytest.param("0x12", 2, "'0x12' is not an address", id="no address"),
        pytest.param("0x" + NEW.hex(), 1, "is no validator", id="a stranger"),
        pytest.param(NAME, 1, "window 0 show 0 of 0 so far", id="too early"),
    ],
)
def test_who_cannot_be_reported_is_said(
    node: SealingNode, url: str, account: str, status: int, words: str
) -> None:
    node.chain.height = 0
    assert words in refusal(node, url, account, status=status)


def test_who_is_going_is_let_go(node: SealingNode, url: str) -> None:
    node.chain.height = 150
    node.chain.send(ABSENT, VALIDATOR_SET, ABI.calldata("leave"))
    assert "goes already: block 200 is its first without" in refusal(node, url, NAME)


@pytest.mark.parametrize(
    ("size", "count"),
    [
        pytest.param(288, 236, id="four validators"),
        pytest.param(4_500, 21, id="a hundred validators"),
        pytest.param(200_000, 1, id="one that is too large alone"),
    ],
)
def test_a_transaction_takes_as_many_certificates_as_the_pool_does(size: int, count: int) -> None:
    sealed = [SealedHeight(height, 0, height, bytes(size)) for height in range(500)]
    batch = first_batch(sealed)
    assert len(batch) == count
    assert list(batch) == sealed[:count]
