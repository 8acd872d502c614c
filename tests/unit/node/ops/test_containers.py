"""Containers and the systemd unit: parsed, and every path, port and flag in them is a real one."""

import configparser
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from node.cli.app import build_app
from node.cli.config_file import load_config
from node.cli.node_command import node_config
from node.cli.settings import Settings
from node.keys import address_of
from node.local_network import load_places
from node.ops.compose_network import CONFIG_FILE, main, write_network
from node.rpc.rpc_config import DEFAULT_HTTP_PORT, DEFAULT_METRICS_PORT, DEFAULT_WS_PORT
from tests.documents import ROOT

OPS = ROOT / "node" / "ops"
COMPOSE: dict[str, Any] = yaml.safe_load((OPS / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
VALIDATORS = sorted(set(SERVICES) - {"setup"})
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network")
    write_network(folder)
    return folder


def test_four_validators_follow_one_setup() -> None:
    assert [f"validator-{index}" for index in range(4)] == VALIDATORS
    for name in VALIDATORS:
        service = SERVICES[name]
        assert service["command"] == ["node", "--config", f"/network/{name}/cvm.toml"]
        assert service["depends_on"] == {"setup": {"condition": "service_completed_successfully"}}
        assert service["volumes"] == SERVICES["setup"]["volumes"] == ["network:/network"]
        assert {port.rsplit(":", 1)[1] for port in service["ports"]} == {"8545", "6060"}
    assert SERVICES["setup"]["command"] == ["/network"]
    assert list(COMPOSE["volumes"]) == ["network"]


def test_only_this_machine_reaches_them_each_at_a_port_of_its_own() -> None:
    outside = [port.rsplit(":", 1)[0] for name in VALIDATORS for port in SERVICES[name]["ports"]]
    assert len(set(outside)) == len(outside)
    assert all(address.startswith("127.0.0.1:") for address in outside)


def test_setup_writes_a_network_that_knows_itself(network: Path) -> None:
    places = load_places(network)
    assert [place.name for place in places] == VALIDATORS
    for place in places:
        config = node_config(Settings(load_config(place.datadir / CONFIG_FILE)))
        assert config.datadir == place.datadir
        assert config.validator_key is not None
        assert address_of(config.validator_key) == place.validator
        assert config.http is not None
        assert (config.http.host, config.http.port) == ("0.0.0.0", 8545)
        assert set(VALIDATORS) <= set(config.http.allowed_hosts)
        assert config.metrics is not None
        assert config.p2p is not None
        assert {(peer.host, peer.port) for peer in config.p2p.static_peers} == {
            (name, 30_303) for name in VALIDATORS if name != place.name
        }
        assert {peer.node_id for peer in config.p2p.static_peers} == {
            other.node_id for other in places if other is not place
        }
        assert not config.discovers


def test_setup_keeps_the_network_that_is_there(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (network / "network.json").read_text()
    assert main([str(network)]) == 0
    assert capsys.readouterr().out.count(CONFIG_FILE) == 4
    assert (network / "network.json").read_text() == before
    assert main([]) == 2


# The image


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, each on one line."""
    text = (OPS / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    pairs = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return [(name, rest) for name, rest in pairs]


KNOWN = {
    *("FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL"),
    *("HEALTHCHECK", "ENTRYPOINT", "CMD"),
}


def test_the_image_holds_what_is_here_and_runs_as_nobody() -> None:
    found = instructions()
    assert {name for name, _rest in found} == KNOWN
    copied = [rest.split()[-2] for name, rest in found if name == "COPY" and "--from" not in rest]
    assert all((ROOT / source).exists() for source in copied)
    users = [rest for name, rest in found if name == "USER"]
    assert users == ["cvm"]
    exposed = next(rest for name, rest in found if name == "EXPOSE").split()
    ports = (DEFAULT_HTTP_PORT, DEFAULT_WS_PORT, DEFAULT_METRICS_PORT, 30_303)
    assert exposed == [*map(str, ports), "30303/udp"]


def test_the_images_command_is_one() -> None:
    last = {name: rest for name, rest in instructions() if name in ("ENTRYPOINT", "CMD")}
    command = [*json.loads(last["ENTRYPOINT"]), *json.loads(last["CMD"])]
    assert command[:2] == ["cvm", "node"]
    done = CliRunner().invoke(build_app("dumpconfig"), ["dumpconfig", *command[2:]])
    assert done.exit_code == 0, done.stderr
    assert tomllib.loads(done.stdout)["datadir"] == "/var/lib/cvm/data"
    check = next(rest for name, rest in instructions() if name == "HEALTHCHECK")
    assert f"127.0.0.1:{DEFAULT_HTTP_PORT}/health" in check


# The unit


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case
    parser.read_string((OPS / "cvm.service").read_text())
    return parser


def test_the_unit_runs_a_node_as_nobody_and_stops_it_in_time() -> None:
    service = unit()["Service"]
    assert re.fullmatch(r"/opt/cvm/bin/cvm node --config /etc/cvm/cvm\.toml", service["ExecStart"])
    assert (service["User"], service["KillSignal"]) == ("cvm", "SIGTERM")
    assert int(service["TimeoutStopSec"]) > 5
    assert service["RestartPreventExitStatus"] == "2"
    assert service["NoNewPrivileges"] == "yes"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not here")
    text = (OPS / "cvm.service").read_text().replace("/opt/cvm/bin/cvm", "/bin/true")
    (tmp_path / "cvm.service").write_text(text)
    done = subprocess.run(
        [analyze, "verify", str(tmp_path / "cvm.service")],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert "cvm.service" not in done.stderr, done.stderr
