"""Addresses: which may be passed on, and where others say that we are."""

import pytest

from node.p2p.discv5.endpoint import Endpoint, ip_text, is_believable, subnet_of
from node.p2p.discv5.endpoint_vote import VOTE_LIFETIME_S, VOTERS, EndpointVote


@pytest.mark.parametrize(
    ("claimed", "sender", "expected"),
    [
        pytest.param("8.8.8.8", "9.9.9.9", True, id="public from public"),
        pytest.param("8.8.8.8", "10.0.0.1", True, id="public from private"),
        pytest.param("10.0.0.2", "9.9.9.9", False, id="private from public"),
        pytest.param("10.0.0.2", "10.0.0.1", True, id="private from private"),
        pytest.param("127.0.0.1", "9.9.9.9", False, id="loopback from public"),
        pytest.param("127.0.0.1", "10.0.0.1", False, id="loopback from private"),
        pytest.param("127.0.0.1", "127.0.0.1", True, id="loopback from loopback"),
        pytest.param("10.0.0.2", "127.0.0.1", True, id="private from loopback"),
        pytest.param("0.0.0.0", "127.0.0.1", False, id="unspecified"),
        pytest.param("224.0.0.1", "127.0.0.1", False, id="multicast"),
        pytest.param("255.255.255.255", "127.0.0.1", False, id="broadcast"),
        pytest.param("::1", "::1", True, id="loopback of ipv6"),
        pytest.param("::1", "2001:4860::1", False, id="loopback of ipv6 from public"),
        pytest.param("2001:4860::2", "2001:4860::1", True, id="public ipv6"),
        pytest.param("fe80::1", "2001:4860::1", False, id="link-local from public"),
    ],
)
def test_who_may_name_an_address(claimed: str, sender: str, expected: bool) -> None:
    assert is_believable(Endpoint(claimed, 30303), sender) is expected


def test_port_zero_is_no_address() -> None:
    assert not is_believable(Endpoint("8.8.8.8", 0), "8.8.8.8")


def test_an_owner_has_a_24_or_a_64() -> None:
    assert subnet_of("8.8.4.1") == subnet_of("8.8.4.255") != subnet_of("8.8.5.1")
    assert subnet_of("2001:db8::1") == subnet_of("2001:db8::ffff") != subnet_of("2001:db8:0:1::")


@pytest.mark.parametrize("size", [0, 3, 5, 15, 17])
def test_an_address_has_4_or_16_bytes(size: int) -> None:
    with pytest.raises(ValueError, match=f"4 or 16 bytes, not {size}"):
        ip_text(bytes(size))


HERE, THERE = Endpoint("5.5.5.5", 30303), Endpoint("6.6.6.6", 30303)


def cast(vote: EndpointVote, *votes: tuple[str, Endpoint], now_s: float = 0) -> Endpoint | None:
    for number, (ip, seen) in enumerate(votes):
        vote.cast(bytes([number]) * 32, Endpoint(ip, 30303), seen, now_s)
    return vote.winner(now_s)


@pytest.mark.parametrize(
    ("votes", "winner"),
    [
        pytest.param([], None, id="nobody"),
        pytest.param([("8.0.0.1", HERE), ("8.0.1.1", HERE)], None, id="too few"),
        pytest.param([("8.0.0.1", HERE), ("8.0.1.1", HERE), ("8.0.2.1", HERE)], HERE, id="enough"),
        pytest.param(
            [("8.0.0.1", HERE), ("8.0.0.2", HERE), ("8.0.0.3", HERE)], None, id="one owner"
        ),
        pytest.param([(f"8.0.{n}.1", (HERE, THERE)[n % 2]) for n in range(6)], None, id="a tie"),
        pytest.param(
            [(f"8.0.{n}.1", THERE if n == 1 else HERE) for n in range(5)], HERE, id="majority"
        ),
        pytest.param(
            [("10.0.0.1", HERE), ("10.0.0.1", HERE), ("10.0.0.1", HERE)], HERE, id="private nodes"
        ),
        pytest.param(
            [(f"8.0.{n}.1", Endpoint("10.0.0.5", 1)) for n in range(5)], None, id="lie: private"
        ),
        pytest.param([(f"8.0.{n}.1", Endpoint("5.5.5.5", 0)) for n in range(5)], None, id="port 0"),
    ],
)
def test_the_vote(votes: list[tuple[str, Endpoint]], winner: Endpoint | None) -> None:
    assert cast(EndpointVote(3), *votes) == winner


def test_votes_grow_old() -> None:
    vote = EndpointVote(1)
    cast(vote, ("8.0.0.1", HERE))
    assert vote.winner(VOTE_LIFETIME_S) == HERE
    assert vote.winner(VOTE_LIFETIME_S + 1) is None


def test_votes_are_bounded() -> None:
    vote = EndpointVote(1)
    for number in range(3 * VOTERS):
        vote.cast(b"", Endpoint(f"8.0.{number}.1", 1), HERE, 0)
    assert len(vote._votes) == VOTERS
