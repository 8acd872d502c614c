"""How a node process ends, and that nothing it writes holds a secret."""

import json
import signal
import socket
from pathlib import Path
from threading import Thread
from time import monotonic
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from eth_keys.datatypes import PrivateKey

from tests.chain_world import VALIDATOR, address_of, genesis_document
from tests.integration.node_process import cvm, dev_node, running, wait_until

pytestmark = pytest.mark.network
STOPPED_WITHIN_S = 5
PASSWORD = "correct horse battery staple"
LOOP = "0x5b600056"
"""JUMPDEST PUSH1 0 JUMP: a call that ends by its deadline only."""


def test_it_ends_in_time_with_clients_connected_and_a_call_under_way(tmp_path: Path) -> None:
    with dev_node(tmp_path) as node:
        idle = socket.create_connection(("127.0.0.1", int(node.port)))
        half = socket.create_connection(("127.0.0.1", int(node.port)))
        half.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        call = Thread(target=call_for_ever, args=(node.url,))
        call.start()
        assert node.result("eth_blockNumber") is not None
        began_s = monotonic()
        assert node.stop(signal.SIGTERM) == 0
        assert monotonic() - began_s < STOPPED_WITHIN_S
        call.join(STOPPED_WITHIN_S)
        idle.close()
        half.close()
    assert "Traceback" not in (tmp_path / "node.log").read_text()


def call_for_ever(url: str) -> None:
    """Ask for a call that does not end."""
    body = {"to": "0x" + "11" * 20, "data": "0x"}
    overrides = {"0x" + "11" * 20: {"code": LOOP}}
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "eth_call",
        "params": [body, "latest", overrides],
    }
    try:
        urlopen(
            Request(url, json.dumps(request).encode(), {"Content-Type": "application/json"}),
            timeout=30,
        ).read()
    except (HTTPError, URLError, OSError):
        return


def test_the_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with dev_node(tmp_path) as node:
        node.process.send_signal(signal.SIGSTOP)
        node.process.send_signal(signal.SIGTERM)
        node.process.send_signal(signal.SIGCONT)
        node.process.send_signal(signal.SIGTERM)
        assert node.process.wait(STOPPED_WITHIN_S) in (0, -signal.SIGTERM)


def test_no_log_and_no_output_holds_a_key_or_a_password(tmp_path: Path) -> None:
    past = genesis_document() | {"timestamp": "0x65000000"}
    (tmp_path / "genesis.json").write_text(json.dumps(past))
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "key").write_text(VALIDATOR.to_bytes().hex())
    data = str(tmp_path / "data")
    assert cvm("init", str(tmp_path / "genesis.json"), "--datadir", data).returncode == 0
    made = cvm(
        *("account", "import", str(tmp_path / "key"), "--datadir", data),
        *("--password-file", str(tmp_path / "password")),
    )
    address, keystore = made.stdout.split()
    assert address == f"0x{address_of(VALIDATOR).hex()}"
    with running(
        tmp_path / "stderr",
        *("node", "--datadir", data, "--nodiscover", "--port", "0", "--p2p.addr", "127.0.0.1"),
        *("--backend", "reference", "--verbosity", "5", "--log.json"),
        *("--log.file", str(tmp_path / "cvm.log"), "--metrics", "--metrics.port", "0"),
        *("--validator", keystore, "--password-file", str(tmp_path / "password")),
    ) as node:
        wait_until(lambda: int(node.result("eth_blockNumber"), 16) >= 1)
        written = made.stdout + made.stderr + metrics_of(tmp_path / "cvm.log")
        assert node.stop(signal.SIGINT) == 0
    written += (tmp_path / "stderr").read_text() + (tmp_path / "cvm.log").read_text()
    node_key = (tmp_path / "data" / "nodekey").read_text().strip()
    assert len(PrivateKey(bytes.fromhex(node_key)).to_bytes()) == 32
    assert "stopping" in written
    assert "cvm_head_height" in written
    for secret in (VALIDATOR.to_bytes().hex(), node_key, PASSWORD):
        assert secret not in written.lower()


def metrics_of(log: Path) -> str:
    """Return what Prometheus reads of a node whose log says where."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (url,) = [line["url"] for line in lines if line["event"] == "metrics"]
    with urlopen(url, timeout=STOPPED_WITHIN_S) as response:
        return str(response.read().decode())
