"""The signer: what it signs is what a key in the process signs, and it refuses the rest."""

import asyncio
import json
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from consensus.certificate import SealDomain
from consensus.qbft.messages import (
    CommitPayload,
    Payload,
    PreparePayload,
    ProposalPayload,
    RoundChangePayload,
)
from cvm.evm.private_key import PrivateKey
from cvm.evm.rlp_encoding import encode_list
from node import consensus_driver
from node.block_writer import BlockWriter
from node.consensus_driver import ConsensusDriver
from node.lone_network import LoneNetwork
from node.service import consensus_rules
from node.signer.guard import SignGuard, SigningRefused
from node.signer.remote_key import RemoteKey, SignerRefuses, SignerUnavailable
from node.signer.requests import (
    AttestationRequest,
    MessageRequest,
    Place,
    SealRequest,
    SigningRequest,
    encode_request,
)
from node.signer.server import SignerService, SocketTaken, serve_signer
from node.transaction_pool import TransactionPool
from node.validator_key import LocalKey, ValidatorKey
from node.vote_log import VoteLog
from tests.chain_world import VALIDATOR, ChainWorld, genesis_document

KEY = PrivateKey(b"\x21" * 32)
CHAIN = SealDomain(5, b"\x01" * 32)
OTHER_CHAIN = SealDomain(5, b"\x02" * 32)
HASH, OTHER_HASH = b"\x0a" * 32, b"\x0b" * 32
TIMEOUT_S = 20
PAYLOADS = [
    pytest.param(PreparePayload(3, 1, HASH), id="prepare"),
    pytest.param(CommitPayload(3, 1, HASH, b"\x05" * 65), id="commit"),
    pytest.param(RoundChangePayload(3, 2, None), id="round change"),
    pytest.param(ProposalPayload(3, 1, encode_list(b"")), id="proposal"),
]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SignerService]:
    guard = SignGuard(tmp_path / "guard", CHAIN)
    yield SignerService(KEY, CHAIN, guard)
    guard.close()


def answer(service: SignerService, request: SigningRequest, **changed: str) -> dict[str, str]:
    asked = json.loads(encode_request(request, CHAIN))
    asked["params"].update(changed)
    found: dict[str, str] = json.loads(service.answer(json.dumps(asked).encode()))
    return found


def message(payload: Payload) -> MessageRequest:
    return MessageRequest(payload.CODE, payload.encode())


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_message_gets_the_signature_that_the_key_gives(
    service: SignerService, payload: Payload
) -> None:
    voting = LocalKey(KEY).voting(CHAIN)
    expected = voting.signer.sign(voting.messages.digest(payload.CODE, payload.encode()))
    assert answer(service, message(payload)) == {"result": f"0x{expected.hex()}"}


def test_a_seal_gets_the_signature_that_the_key_gives(service: SignerService) -> None:
    expected = LocalKey(KEY).voting(CHAIN).signer.sign(CHAIN.digest(3, 1, HASH))
    assert answer(service, SealRequest(3, 1, HASH)) == {"result": f"0x{expected.hex()}"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            message(PreparePayload(3, 0, HASH)),
            message(PreparePayload(3, 0, OTHER_HASH)),
            id="prepares",
        ),
        pytest.param(SealRequest(3, 0, HASH), SealRequest(3, 0, OTHER_HASH), id="seals"),
    ],
)
def test_a_second_vote_in_one_round_is_refused(
    service: SignerService, first: SigningRequest, second: SigningRequest
) -> None:
    assert "result" in answer(service, first)
    assert "something else was signed" in answer(service, second)["error"]
    assert "result" in answer(service, first)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({"genesisHash": f"0x{'02' * 32}"}, "this signer signs for", id="a chain"),
        pytest.param({"chainId": "0x6"}, "this signer signs for", id="a chain id"),
        pytest.param({"digest": f"0x{'00' * 32}"}, "the digest is not that", id="a digest"),
        pytest.param({"height": "0x4"}, "the digest is not that", id="a height"),
        pytest.param({"kind": "transaction"}, "want message, seal or att", id="a kind"),
        pytest.param({"height": "4"}, "the digest is not that", id="a number without 0x"),
        pytest.param({"height": "0x" + "1" * 17}, "height is not a number", id="a huge number"),
        pytest.param({"headerHash": "0x11"}, "headerHash is not 32 bytes", id="a short hash"),
        pytest.param({"headerHash": "0xzz"}, "headerHash is not 32 bytes", id="no hex"),
    ],
)
def test_a_request_that_is_not_what_it_says_is_refused(
    service: SignerService, changed: dict[str, str], words: str
) -> None:
    assert words in answer(service, SealRequest(3, 1, HASH), **changed)["error"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"[1]", "not a JSON object", id="a list"),
        pytest.param(b"[" * 100_000, "too deep", id="depth"),
        pytest.param(b'{"method": "export"}', "want address or sign", id="a method"),
        pytest.param(b'{"method": "sign"}', "params is not an object", id="no params"),
        pytest.param(b'\xff{"method": 1}', "not JSON", id="not UTF-8"),
    ],
)
def test_a_line_that_is_no_request_is_answered_with_an_error(
    service: SignerService, line: bytes, words: str
) -> None:
    assert words in json.loads(service.answer(line))["error"]


def test_a_payload_that_is_no_message_is_refused(service: SignerService) -> None:
    assert "not a message" in answer(service, MessageRequest(0x13, b"\xc0"))["error"]
    assert "not a message" in answer(service, MessageRequest(0x99, b"\xc0"))["error"]


# Over a socket


@contextmanager
def listening(service: SignerService, path: Path) -> Iterator[None]:
    """Serve on a thread of its own, as another process would."""
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with asyncio.timeout(TIMEOUT_S), serve_signer(service, path):
            ready.set()
            await asyncio.to_thread(stop.wait, TIMEOUT_S)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(TIMEOUT_S)
    try:
        yield
    finally:
        stop.set()
        thread.join(TIMEOUT_S)


@contextmanager
def connected(path: Path) -> Iterator[RemoteKey]:
    key = RemoteKey(path)
    try:
        yield key
    finally:
        key.close()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_node_signs_through_it_as_with_its_own_key(
    service: SignerService, tmp_path: Path, payload: Payload
) -> None:
    path = tmp_path / "signer.sock"
    own = LocalKey(KEY).voting(CHAIN)
    with listening(service, path), connected(path) as key:
        assert key.address == LocalKey(KEY).address
        voting = key.voting(CHAIN)
        digest = voting.messages.digest(payload.CODE, payload.encode())
        assert digest == own.messages.digest(payload.CODE, payload.encode())
        assert voting.signer.sign(digest) == own.signer.sign(digest)
        sealed = voting.seals.digest(3, 1, HASH)
        assert voting.signer.sign(sealed) == own.signer.sign(CHAIN.digest(3, 1, HASH))


def test_an_attestation_is_that_of_the_key(service: SignerService, tmp_path: Path) -> None:
    path = tmp_path / "signer.sock"
    with listening(service, path), connected(path) as key:
        found = key.sign_attestation(CHAIN, HASH, 2, OTHER_HASH)
    assert found == LocalKey(KEY).sign_attestation(CHAIN, HASH, 2, OTHER_HASH)
    request = AttestationRequest(HASH, 2, OTHER_HASH)
    assert request.place() is None  # type: ignore[func-returns-value]  # None is the claim


def test_a_refusal_stops_the_node_with_the_reason(service: SignerService, tmp_path: Path) -> None:
    path = tmp_path / "signer.sock"
    with listening(service, path), connected(path) as key:
        voting = key.voting(OTHER_CHAIN)
        with pytest.raises(SignerRefuses, match="this signer signs for chain 5"):
            voting.signer.sign(voting.seals.digest(3, 1, HASH))


def test_a_digest_that_nobody_made_is_not_sent(service: SignerService, tmp_path: Path) -> None:
    path = tmp_path / "signer.sock"
    with listening(service, path), connected(path) as key:
        voting = key.voting(CHAIN)
        voting.seals.digest(3, 1, HASH)
        with pytest.raises(ValueError, match="no domain has made last"):
            voting.signer.sign(HASH)


def test_a_signer_that_was_started_anew_is_asked_again(
    service: SignerService, tmp_path: Path
) -> None:
    path = tmp_path / "signer.sock"
    with listening(service, path):
        key = RemoteKey(path)
    with listening(service, path):
        found = key.sign_attestation(CHAIN, HASH, 2, OTHER_HASH)
    key.close()
    assert found == LocalKey(KEY).sign_attestation(CHAIN, HASH, 2, OTHER_HASH)


def test_nobody_at_the_socket_is_said(service: SignerService, tmp_path: Path) -> None:
    path = tmp_path / "signer.sock"
    with pytest.raises(SignerUnavailable, match="No such file"):
        RemoteKey(path)
    with listening(service, path):
        key = RemoteKey(path)
    with pytest.raises(SignerUnavailable, match="does not answer"):
        key.sign_attestation(CHAIN, HASH, 2, OTHER_HASH)
    key.close()


def test_a_chain_goes_on_with_a_key_behind_a_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ChainWorld(tmp_path / "data", json.dumps(genesis_document()).encode())
    monkeypatch.setattr(
        consensus_driver, "now_ms", lambda: (world.chain.head.timestamp + 1) * 1_000
    )
    guard = SignGuard(tmp_path / "guard", world.chain.domain)
    service = SignerService(VALIDATOR, world.chain.domain, guard)
    path = tmp_path / "signer.sock"
    votes = VoteLog(tmp_path / "votes", world.chain.domain.genesis_hash)
    try:
        with listening(service, path), connected(path) as key:
            asyncio.run(run_blocks(world, key, votes, 3))
        assert world.chain.head.block_number >= 3
        with pytest.raises(SigningRefused, match="something else was signed"):
            guard.note(Place(world.chain.head.block_number, 0, 0, b"\x00" * 32))
    finally:
        votes.close()
        guard.close()
        world.close()


async def run_blocks(world: ChainWorld, key: ValidatorKey, votes: VoteLog, height: int) -> None:
    """Run a chain on which the next block is always due up to a height."""
    chain, writer, reached = world.chain, BlockWriter(world.chain), asyncio.Event()
    rules, network = consensus_rules(chain, key), LoneNetwork(chain, world.store)
    pool, work = TransactionPool(chain.parameters.chain_id), asyncio.Event()
    driver = ConsensusDriver(chain, writer, pool, rules, votes, network, work)

    def appended(*_block: object) -> None:
        if chain.head.block_number >= height:
            reached.set()

    writer.on_head(appended)
    try:
        async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(driver.run())
            await reached.wait()
            task.cancel()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"nonsense\n", id="no JSON"),
        pytest.param(b'{"result": "0x11"}\n', id="a short address"),
        pytest.param(b'{"result": 5}\n', id="a number"),
        pytest.param(b"[]\n", id="a list"),
        pytest.param(b"x" * 5_000, id="a line without an end"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_an_answer_that_is_none_is_said(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "signer.sock"

    def answer_once(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(line)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=answer_once, args=(listener,))
        thread.start()
        with pytest.raises(SignerUnavailable, match="does not answer"), connected(path):
            pass
        thread.join(TIMEOUT_S)


def test_only_its_user_reaches_the_socket(service: SignerService, tmp_path: Path) -> None:
    path = tmp_path / "signer.sock"
    with listening(service, path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def occupied_by_a_file(path: Path) -> None:
    path.write_text("not a socket")


def left_by_a_dead_process(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize(
    ("occupy", "is_refused"), [(occupied_by_a_file, True), (left_by_a_dead_process, False)]
)
def test_a_left_socket_is_replaced_and_a_file_is_not(
    service: SignerService, tmp_path: Path, occupy: Callable[[Path], None], is_refused: bool
) -> None:
    path = tmp_path / "signer.sock"
    occupy(path)

    async def serve() -> None:
        async with asyncio.timeout(TIMEOUT_S), serve_signer(service, path):
            pass

    if is_refused:
        with pytest.raises(SocketTaken, match="is not a socket that was left"):
            asyncio.run(serve())
        assert path.read_text() == "not a socket"
    else:
        asyncio.run(serve())
        assert not path.exists()
