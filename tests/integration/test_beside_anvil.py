"""`cvm dev` and anvil are asked the same, and answer the same; where they do not, it is said here.

anvil (https://getfoundry.sh) is looked for on the path and in the folder of CVM_NODE_MODULES, where
`npm install @foundry-rs/anvil` puts it.
"""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.integration.node_process import running, wait_until

pytestmark = pytest.mark.network
TIMEOUT_S = 60
FIRST = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
SECOND = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
NOBODY = "0x" + "11" * 20
CONTRACT = "0x" + "22" * 20
LATER = 4_000_000_000
"""A time after any that the tests' machines show."""

WORD = "0x" + "00" * 31 + "07"
STOP = "0x00"
ETHER = hex(10**18)
UNKNOWN = "0x" + "99" * 32
Call = tuple[Any, ...]


class Asked:
    """One of the two, by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, *params: object) -> Any:
        """Return the result, or the code of the error."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        request = Request(self.url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=TIMEOUT_S) as response:
            answer = json.load(response)
        return answer["result"] if "result" in answer else {"error": answer["error"]["code"]}

    def answers(self, calls: list[Call]) -> list[Any]:
        """Return the answers to calls on a chain that is as new before and after.

        A call of `answer` with a place stands for that answer; `settle` waits for the pool.
        """
        snapshot, found = self.ask("evm_snapshot"), list[Any]()
        for method, *params in calls:
            if method == "settle":
                wait_until(lambda: self.ask("txpool_status")["pending"] == "0x0")
                continue
            known = [found[each] if isinstance(each, Answer) else each for each in params]
            found.append(self.ask(method, *known))
        assert self.ask("evm_revert", snapshot) is True
        self.ask("evm_setAutomine", True)
        self.ask("anvil_dropAllTransactions")
        return found


class Answer(int):
    """The place of an earlier answer in a list of calls."""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    log = tmp_path_factory.mktemp("beside") / "node.log"
    with running(log, "dev", "--backend", "reference", "--no-idle-blocks") as node:
        yield Asked(node.url)


@pytest.fixture(scope="module")
def anvil() -> Iterator[Asked]:
    folder = os.environ.get("CVM_NODE_MODULES", "").split(os.pathsep)[0]
    found = shutil.which("anvil") or shutil.which("anvil", path=str(Path(folder, ".bin")))
    if found is None:
        pytest.skip("no anvil on PATH: npm install @foundry-rs/anvil, and set CVM_NODE_MODULES")
    with started_anvil(found) as asked:
        yield asked


@contextmanager
def started_anvil(program: str) -> Iterator[Asked]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asked = Asked(f"http://127.0.0.1:{port}")

    def answers() -> bool:
        assert process.poll() is None, "anvil ended"
        try:
            return bool(asked.ask("eth_chainId") == "0x7a69")
        except URLError:
            return False

    with subprocess.Popen([program, "--port", str(port), "--silent"]) as process:
        try:
            wait_until(answers)
            yield asked
        finally:
            process.terminate()


def block(number: str = "latest") -> Call:
    return ("eth_getBlockByNumber", number, False)


def sent(**fields: str) -> Call:
    wish = {"from": FIRST, "to": SECOND, "value": "0x1", "gas": "0x5208"}
    return ("eth_sendTransaction", {**wish, **fields})


SAME: dict[str, list[Call]] = {
    "evm_mine": [("evm_mine",), ("evm_mine", LATER), ("evm_mine", hex(LATER + 5))],
    "evm_mine with fields": [("evm_mine", {"timestamp": LATER, "blocks": 3}), ("eth_blockNumber",)],
    "evm_mine in decimals": [("evm_mine", str(LATER))],
    "evm_mine in the past": [("evm_mine", LATER), ("evm_mine", LATER - 1), ("eth_blockNumber",)],
    "mine": [("anvil_mine",), ("anvil_mine", "0x2"), ("hardhat_mine", 3), ("eth_blockNumber",)],
    "mine none": [("anvil_mine", 0), ("hardhat_mine", "0x0"), ("eth_blockNumber",)],
    "snapshots end": [
        ("evm_snapshot",),
        ("evm_mine",),
        ("evm_revert", Answer(0)),
        ("evm_revert", Answer(0)),
        ("eth_blockNumber",),
    ],
    "snapshots in a row": [
        ("evm_snapshot",),
        ("anvil_mine", 2),
        ("anvil_snapshot",),
        ("evm_mine",),
        ("anvil_revert", Answer(2)),
        ("eth_blockNumber",),
        ("evm_revert", Answer(0)),
        ("eth_blockNumber",),
    ],
    "an unknown snapshot": [("evm_revert", "0xfffff"), ("evm_revert", 99_999)],
    "a revert without a number": [("evm_revert",)],
    "state goes back": [
        ("anvil_setBalance", NOBODY, "0x5"),
        ("evm_snapshot",),
        ("anvil_setBalance", NOBODY, "0x6"),
        ("evm_mine",),
        ("evm_revert", Answer(1)),
        ("eth_getBalance", NOBODY, "latest"),
    ],
    "balance": [
        ("anvil_setBalance", NOBODY, "0xde0b6b3a7640000"),
        ("eth_getBalance", NOBODY, "latest"),
        ("hardhat_setBalance", NOBODY, "0x01"),
        ("eth_getBalance", NOBODY, "latest"),
        ("anvil_setBalance", NOBODY, 1_000),
        ("anvil_addBalance", NOBODY, "0x5"),
        ("evm_mine",),
        ("eth_getBalance", NOBODY, "latest"),
    ],
    "balance, refused": [("anvil_setBalance", "0x12", "0x1"), ("anvil_setBalance", NOBODY)],
    "nonce": [
        ("anvil_setNonce", NOBODY, "0x5"),
        ("evm_setAccountNonce", NOBODY, 7),
        ("eth_getTransactionCount", NOBODY, "latest"),
        ("hardhat_setNonce", NOBODY, "0x2"),
        ("eth_getTransactionCount", NOBODY, "latest"),
    ],
    "code": [
        ("anvil_setCode", CONTRACT, "0x6001"),
        ("eth_getCode", CONTRACT, "latest"),
        ("hardhat_setCode", CONTRACT, "6002"),
        ("eth_getCode", CONTRACT, "latest"),
        ("anvil_setCode", CONTRACT, "0x"),
        ("eth_getCode", CONTRACT, "latest"),
    ],
    "storage": [
        ("anvil_setCode", CONTRACT, "0x5f545f5260205ff3"),
        ("anvil_setStorageAt", CONTRACT, "0x0", WORD),
        ("hardhat_setStorageAt", CONTRACT, "0x01", WORD),
        ("anvil_setStorageAt", CONTRACT, 2, WORD),
        ("eth_getStorageAt", CONTRACT, "0x2", "latest"),
        ("eth_call", {"to": CONTRACT}, "latest"),
        ("hardhat_setStorageAt", CONTRACT, "0x1", "0x7"),
    ],
    "impersonation": [
        ("anvil_impersonateAccount", NOBODY),
        ("eth_accounts",),
        ("anvil_stopImpersonatingAccount", NOBODY),
        ("anvil_stopImpersonatingAccount", NOBODY),
        ("eth_accounts",),
        ("hardhat_impersonateAccount", NOBODY),
        ("hardhat_stopImpersonatingAccount", NOBODY),
        ("anvil_autoImpersonateAccount", True),
        ("anvil_autoImpersonateAccount", False),
    ],
    "a contract that is impersonated": [
        ("anvil_setCode", CONTRACT, STOP),
        ("anvil_setBalance", CONTRACT, ETHER),
        ("anvil_impersonateAccount", CONTRACT),
        sent(**{"from": CONTRACT, "to": NOBODY, "value": "0x9"}),
        ("settle",),
        ("anvil_stopImpersonatingAccount", CONTRACT),
        ("eth_getTransactionCount", CONTRACT, "latest"),
        ("eth_getBalance", NOBODY, "latest"),
    ],
    "time": [
        ("evm_setNextBlockTimestamp", LATER),
        ("evm_mine",),
        ("evm_setNextBlockTimestamp", hex(LATER + 9)),
        ("evm_setNextBlockTimestamp", 5),
        ("evm_mine",),
    ],
    "time between blocks": [
        ("anvil_setBlockTimestampInterval", 10),
        ("anvil_removeBlockTimestampInterval",),
        ("anvil_removeBlockTimestampInterval",),
    ],
    "time backwards": [("evm_increaseTime", -10)],
    "automine": [
        ("anvil_getAutomine",),
        ("evm_setAutomine", False),
        ("anvil_getAutomine",),
        ("hardhat_getAutomine",),
        ("anvil_setAutomine", True),
        ("anvil_getAutomine",),
    ],
    "interval": [
        ("anvil_getIntervalMining",),
        ("evm_setIntervalMining", 500),
        ("anvil_getIntervalMining",),
        ("anvil_getAutomine",),
        ("evm_setIntervalMining", 0),
        ("anvil_getIntervalMining",),
        ("anvil_getAutomine",),
    ],
    "without automine": [
        ("evm_setAutomine", False),
        sent(),
        sent(),
        ("txpool_status",),
        ("evm_mine",),
        ("txpool_status",),
        ("eth_getBlockTransactionCountByNumber", "latest"),
        ("eth_getTransactionCount", FIRST, "latest"),
    ],
    "with automine": [
        sent(value="0x9"),
        ("settle",),
        ("eth_getTransactionCount", FIRST, "latest"),
        ("eth_blockNumber",),
    ],
    "drop": [
        ("anvil_dropTransaction", UNKNOWN),
        ("hardhat_dropTransaction", UNKNOWN),
        ("evm_setAutomine", False),
        sent(),
        sent(),
        ("anvil_dropAllTransactions",),
        ("txpool_status",),
        sent(),
        ("anvil_removePoolTransactions", FIRST),
        ("txpool_status",),
    ],
    "base fee": [
        ("anvil_setNextBlockBaseFeePerGas", "0x77359400"),
        ("evm_mine",),
        ("hardhat_setNextBlockBaseFeePerGas", "0x7735940"),
        ("evm_mine",),
    ],
    "what no node has": [("evm_nosuch",), ("anvil_nosuch",), ("hardhat_addCompilationResult",)],
    "forking": [("hardhat_reset", {"forking": "no"})],
}
HASHES_DIFFER = frozenset({"eth_sendTransaction"})
BLOCK_FIELDS = ("number", "timestamp", "baseFeePerGas")


def comparable(call: Call, answer: Any) -> Any:
    """Return what of an answer does not hang on hashes, which two chains never share."""
    if call[0] in HASHES_DIFFER:
        return isinstance(answer, str)
    return answer


@pytest.mark.parametrize("calls", [pytest.param(calls, id=name) for name, calls in SAME.items()])
def test_both_answer_the_same(anvil: Asked, ours: Asked, calls: list[Call]) -> None:
    asked = [call for call in calls if call[0] != "settle"]
    answers = [
        [comparable(*each) for each in zip(asked, one.answers(calls), strict=True)]
        for one in (ours, anvil)
    ]
    for call, mine, theirs in zip(asked, *answers, strict=True):
        assert (call, mine) == (call, theirs)


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param([("evm_mine", LATER)], id="a time of one block"),
        pytest.param([("evm_setNextBlockTimestamp", LATER), ("evm_mine",)], id="the next block's"),
        pytest.param(
            [("evm_mine", LATER), ("hardhat_mine", "0x3", "0x3c")], id="blocks with an interval"
        ),
        pytest.param(
            [("evm_mine", LATER), ("anvil_setBlockTimestampInterval", 7), ("anvil_mine", 3)],
            id="a fixed interval",
        ),
        pytest.param(
            [("anvil_setNextBlockBaseFeePerGas", 9_000), ("anvil_mine", 1)], id="a base fee"
        ),
    ],
)
def test_blocks_have_the_same_fields(anvil: Asked, ours: Asked, calls: list[Call]) -> None:
    ends = ("anvil_removeBlockTimestampInterval",)
    heads = [one.answers([*calls, block(), ends])[-2] for one in (ours, anvil)]
    fields = BLOCK_FIELDS[2:] if "BaseFee" in calls[0][0] else BLOCK_FIELDS[1:2]
    assert [heads[0][name] for name in fields] == [heads[1][name] for name in fields]


@pytest.mark.parametrize("method", ["anvil_nodeInfo", "anvil_metadata", "hardhat_metadata"])
def test_what_a_node_says_of_itself_has_the_same_fields(
    anvil: Asked, ours: Asked, method: str
) -> None:
    of_a_program = {"clientSemver", "clientCommitSha"}
    mine, theirs = ours.ask(method), anvil.ask(method)
    assert set(mine) == set(theirs) - of_a_program
    kinds = [{name: type(one[name]) for name in mine} for one in (mine, theirs)]
    assert kinds[0] == kinds[1]


DIFFERENT: dict[str, tuple[list[Call], Any, Any]] = {
    "a block is a second later than its parent at least": (
        [("evm_mine", LATER), ("evm_mine",), block()],
        hex(LATER + 1),
        hex(LATER),
    ),
    "a snapshot after the one that was gone back to is not there": (
        [
            ("evm_snapshot",),
            ("anvil_mine", 2),
            ("evm_snapshot",),
            ("evm_revert", Answer(0)),
            ("evm_revert", Answer(2)),
        ],
        False,
        {"error": -32001},
    ),
    "what waited is in the pool again": (
        [
            ("evm_setAutomine", False),
            sent(),
            ("evm_snapshot",),
            ("evm_mine",),
            ("evm_revert", Answer(2)),
            ("txpool_status",),
        ],
        {"pending": "0x1", "queued": "0x0"},
        {"pending": "0x0", "queued": "0x0"},
    ),
    "no options are no options": ([("evm_mine", {})], "0x0", {"error": -32602}),
    "the words for an account without a key are geth's": (
        [sent(**{"from": NOBODY})],
        {"error": -32000},
        {"error": -32602},
    ),
}
"""Calls with the last answer of ours and of anvil's, by the reason."""


@pytest.mark.parametrize(
    ("calls", "mine", "theirs"), [pytest.param(*case, id=why) for why, case in DIFFERENT.items()]
)
def test_a_difference_is_the_one_that_is_told_of(
    anvil: Asked, ours: Asked, calls: list[Call], mine: Any, theirs: Any
) -> None:
    answers = [one.answers(calls)[-1] for one in (ours, anvil)]
    assert [told(each) for each in answers] == [mine, theirs]


def told(answer: Any) -> Any:
    """Return a block's time, or an answer as it is."""
    is_block = isinstance(answer, dict) and "timestamp" in answer
    return answer["timestamp"] if is_block else answer
