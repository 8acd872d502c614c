"""Who is let in, and which of two sessions with one node stays."""

from dataclasses import dataclass
from typing import cast

import pytest

from node.p2p.admission import ConnectionGate, Party, is_limited, stays_open
from node.p2p.p2p_config import P2pConfig
from node.p2p.session import Session

LOW, HIGH = b"\1" * 64, b"\2" * 64


@dataclass
class Open:
    """What the rules ask of a session."""

    inbound: bool


@pytest.mark.parametrize(
    ("own_id", "old_inbound", "new_inbound", "age_s", "old_stays"),
    [
        pytest.param(LOW, False, True, 1, False, id="crossed: the greater id's dial replaces ours"),
        pytest.param(LOW, True, False, 1, True, id="crossed: the greater id's dial was first"),
        pytest.param(HIGH, False, True, 1, True, id="crossed: ours is the greater id's"),
        pytest.param(HIGH, True, False, 1, False, id="crossed: ours replaces the other"),
        pytest.param(LOW, True, True, 1, False, id="the peer dials again"),
        pytest.param(HIGH, False, True, 16, False, id="the peer has lost what we dialled"),
        pytest.param(HIGH, True, False, 16, True, id="a late dial of ours"),
    ],
)
def test_of_two_sessions_one_stays(
    own_id: bytes, old_inbound: bool, new_inbound: bool, age_s: float, old_stays: bool
) -> None:
    other = HIGH if own_id == LOW else LOW
    old = cast(Session, Open(old_inbound))
    party = Party(other, "127.0.0.1", new_inbound)
    assert stays_open(old, party, own_id, age_s) is old_stays


def test_both_sides_keep_the_same_of_two_crossed_dials_in_any_order() -> None:
    kept = set()
    for own_id, other in ((LOW, HIGH), (HIGH, LOW)):
        for order in ((LOW, HIGH), (HIGH, LOW)):
            first, second = order
            old = cast(Session, Open(inbound=first != own_id))
            party = Party(other, "127.0.0.1", inbound=second != own_id)
            kept.add(first if stays_open(old, party, own_id, 0.5) else second)
    assert kept == {HIGH}


@pytest.mark.parametrize(
    ("host", "limit_loopback", "limited"),
    [
        pytest.param("127.0.0.1", False, False, id="loopback"),
        pytest.param("::1", False, False, id="loopback of IPv6"),
        pytest.param("127.0.0.1", True, True, id="loopback when it counts"),
        pytest.param("192.0.2.7", False, True, id="elsewhere"),
        pytest.param("fe80::1%eth0", False, True, id="an address with a scope"),
        pytest.param("somewhere", False, True, id="a name"),
    ],
)
def test_bounds_for_one_address_spare_loopback(
    host: str, limit_loopback: bool, limited: bool
) -> None:
    assert is_limited(host, P2pConfig(limit_loopback=limit_loopback)) is limited


def test_one_address_opens_so_many_connections_at_a_time() -> None:
    gate = ConnectionGate(P2pConfig(max_per_host=2))
    assert [gate.enter("192.0.2.7", 0) for _ in range(3)] == [True, True, False]
    assert gate.enter("192.0.2.8", 0)
    gate.leave("192.0.2.7")
    assert gate.enter("192.0.2.7", 0)


def test_one_address_opens_so_many_connections_in_a_while() -> None:
    gate = ConnectionGate(P2pConfig())
    entered = 0
    for _ in range(100):
        if gate.enter("192.0.2.7", 0):
            gate.leave("192.0.2.7")
            entered += 1
    assert entered == 20
    assert gate.enter("192.0.2.7", 1)


def test_all_addresses_together_open_so_many_at_a_time() -> None:
    gate = ConnectionGate(P2pConfig(max_handshakes=5))
    assert sum(gate.enter(f"192.0.2.{number}", 0) for number in range(9)) == 5


def test_many_addresses_do_not_fill_memory() -> None:
    gate = ConnectionGate(P2pConfig())
    for number in range(5000):
        host = f"10.0.{number >> 8}.{number & 255}"
        assert gate.enter(host, 0)
        gate.leave(host)
    assert gate.remembered == 4096
