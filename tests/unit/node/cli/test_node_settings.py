"""`cvm node`: flags over a TOML file over defaults, each mistake named."""

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.cli.app import build_app
from node.cli.config_file import dump_config, load_config
from node.cli.faults import BadArgument
from node.cli.node_command import log_config, node_config
from node.cli.settings import SETTINGS, Settings, Value
from node.logs import LogConfig
from node.pool.limits import PoolLimits
from node.rpc.rpc_config import HttpConfig, MetricsConfig, WebSocketConfig

APP = build_app("dumpconfig")
ENODE = f"enode://{'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}"
ENODE += "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8@127.0.0.1:30303"


def dumped(*arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(APP, ["dumpconfig", *arguments])
    assert done.exit_code == 0, done.stderr
    return tomllib.loads(done.stdout)


def test_a_flag_overrides_the_file_and_the_file_the_default(tmp_path: Path) -> None:
    file = tmp_path / "cvm.toml"
    file.write_text('backend = "reference"\nmaxpeers = 9\n[http]\nport = 1\n')
    found = dumped("--config", str(file), "--http.port", "2", "--maxpeers", "7")
    http = found["http"]
    assert isinstance(http, dict)
    assert (found["backend"], found["maxpeers"], http["port"]) == ("reference", 7, 2)
    assert (found["cache"], http["addr"]) == (1024, "127.0.0.1")


@pytest.mark.parametrize(
    ("arguments", "table", "name", "value"),
    [
        pytest.param("--http.api eth,net", "http", "api", ["eth", "net"], id="words at commas"),
        pytest.param("--http.api eth --http.api net", "http", "api", ["eth", "net"], id="repeated"),
        pytest.param("--ws", "ws", "enabled", True, id="a switch"),
        pytest.param("--no-http", "http", "enabled", False, id="a switch off"),
        pytest.param("--p2p.port 5", "", "port", 5, id="an older name of port"),
        pytest.param("--max-peers 5", "", "maxpeers", 5, id="an older name of maxpeers"),
        pytest.param("--bootnode a --bootnodes b", "", "bootnodes", ["a", "b"], id="bootnodes"),
        pytest.param("--no-discovery", "", "nodiscover", True, id="an older name of nodiscover"),
        pytest.param("--discover", "", "nodiscover", False, id="a negation off"),
        pytest.param("--password-file p", "", "password", "p", id="another name of password"),
        pytest.param("--p2p-host ::1", "p2p", "addr", "::1", id="another name of p2p.addr"),
    ],
)
def test_flags_are_geths_and_older_names_stay(
    arguments: str, table: str, name: str, value: object
) -> None:
    found = dumped(*arguments.split())
    place = found[table] if table else found
    assert isinstance(place, dict)
    assert place[name] == value


def test_a_dumped_file_is_read_back_as_the_same_settings(tmp_path: Path) -> None:
    given: dict[str, Value] = {
        "datadir": 'C:\\"quoted"\n\x7f é',
        "http.api": ("eth", "net"),
        "ws.enabled": True,
        "metrics.port": 9,
        "prune": 128,
    }
    file = tmp_path / "cvm.toml"
    file.write_text(dump_config(Settings(given)), encoding="utf-8")
    again = Settings(load_config(file))
    assert {s.key: again.value(s.key) for s in SETTINGS} == {
        s.key: Settings(given).value(s.key) for s in SETTINGS
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[http]\nprot = 1", "unknown key http.prot; did you mean http.port", id="key"),
        pytest.param("[bogus]\nx = 1", "unknown key bogus.x", id="table"),
        pytest.param("[bogus]", "unknown key bogus", id="empty table"),
        pytest.param("ws = true", "unknown key ws; did you mean ws.enabled", id="a table's name"),
        pytest.param('port = "8"', 'port = "8": want a whole number', id="text for a number"),
        pytest.param("port = true", "port = true: want a whole number", id="bool for a number"),
        pytest.param("port = 70000", "port is 70000: want at least 0 and at most 65535", id="port"),
        pytest.param("snapshot = 1", "snapshot = 1: want true or false", id="number for a bool"),
        pytest.param("peer = [1]", r"peer = \[1\]: want a list of texts", id="list of numbers"),
        pytest.param("backend = 5", "backend = 5: want a text in quotes", id="number for a text"),
        pytest.param("a = b", "is not TOML", id="not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "cvm.toml"
    file.write_text(text)
    with pytest.raises(BadArgument, match=message):
        load_config(file)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param("--http.port 65536", "http.port is 65536: want at least 0", id="a port"),
        pytest.param("--cache 0", "cache is 0: want at least 1", id="no cache"),
        pytest.param("--verbosity 6", "verbosity is 6", id="verbosity"),
        pytest.param("--config none.toml", "none.toml: No such file", id="no file"),
    ],
)
def test_a_mistake_in_a_flag_is_named(arguments: str, message: str) -> None:
    done = CliRunner().invoke(APP, ["dumpconfig", *arguments.split()])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert message in done.stderr


def test_settings_become_the_nodes_configuration(tmp_path: Path) -> None:
    config = node_config(
        Settings(
            {
                "datadir": str(tmp_path),
                "cache": 2,
                "http.api": ("eth",),
                "http.corsdomain": ("https://a.example",),
                "http.vhosts": ("*",),
                "ws.enabled": True,
                "ws.port": 7,
                "metrics.enabled": True,
                "nat": "extip:10.1.2.3",
                "txpool.globalslots": 99,
                "txpool.lifetime": 60,
                "peer": (ENODE,),
                "port": 8,
                "rpc.ratelimit": 40,
            }
        )
    )
    assert config.http == HttpConfig("127.0.0.1", 8545, ("eth",), ("https://a.example",), ("*",))
    assert config.websocket == WebSocketConfig(port=7)
    assert config.metrics == MetricsConfig("127.0.0.1", 6060)
    assert config.ipc_path == tmp_path / "cvm.ipc"
    assert config.cache_bytes == 2 << 20
    assert config.rpc_rate_limit == 40
    assert config.pool_limits == PoolLimits(16, 99, 64, 1_024, 60, 10)
    assert config.p2p is not None
    assert (config.p2p.port, config.p2p.advertised_host) == (8, "10.1.2.3")
    assert [str(peer) for peer in config.p2p.static_peers] == [ENODE]


def test_what_is_off_is_none(tmp_path: Path) -> None:
    off: dict[str, Value] = {"datadir": str(tmp_path), "http.enabled": False, "ipcdisable": True}
    config = node_config(Settings(off))
    assert (config.http, config.websocket, config.ipc_path, config.metrics) == (None,) * 4


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        pytest.param("http.api", ("eth", "shh"), "http.api: no namespace 'shh'", id="namespace"),
        pytest.param("nat", "upnp", "nat is 'upnp': want none or extip:IP", id="nat"),
    ],
)
def test_a_value_that_means_nothing_is_refused(key: str, value: Value, message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        node_config(Settings({key: value}))


def test_log_files_are_bounded_only_where_they_rotate() -> None:
    given: dict[str, Value] = {"log.file": "a.log", "log.maxsize": 2, "log.maxbackups": 3}
    assert log_config(Settings(given)) == LogConfig(file=Path("a.log"), backups=3)
    turning = log_config(Settings({**given, "log.rotate": True, "log.json": True, "verbosity": 4}))
    assert turning == LogConfig(True, 4, Path("a.log"), 2 << 20, 3)


def test_every_setting_has_one_key_and_flags_of_its_own() -> None:
    flags = [flag for setting in SETTINGS for flag in setting.flags]
    assert len(set(flags)) == len(flags)
    assert len({setting.key for setting in SETTINGS}) == len(SETTINGS)
