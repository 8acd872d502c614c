"""Buckets of tokens: what an address may ask, and which addresses are counted."""

import asyncio
import json
from dataclasses import dataclass

import pytest

from node.rpc import rate_limit
from node.rpc.dispatcher import Limits, answer
from node.rpc.faults import RateLimited
from node.rpc.rate_limit import BURST_S, Meter, RateLimit, client_of
from tests.unit.node.rpc.fake_chain import small_chain
from tests.unit.node.rpc.rpc_caller import local_caller, request

CLIENT, OTHER = "192.0.2.1", "192.0.2.2"


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def taken(limit: RateLimit, client: str = CLIENT, at_most: int = 100) -> int:
    """Return how many requests come through."""
    for count in range(at_most):
        try:
            limit.take(client, 1)
        except RateLimited:
            return count
    return at_most


def test_a_full_bucket_is_five_seconds_of_requests() -> None:
    assert BURST_S == 5
    assert taken(RateLimit(2, Clock())) == 10


def test_a_bucket_is_refilled_steadily_and_never_overflows() -> None:
    clock = Clock()
    limit = RateLimit(2, clock)
    taken(limit)
    clock.now_s = 1.5
    assert taken(limit) == 3
    clock.now_s = 1_000.0
    assert taken(limit) == 10


def test_each_address_has_its_own_bucket() -> None:
    limit = RateLimit(2, Clock())
    taken(limit, CLIENT)
    assert taken(limit, OTHER) == 10


def test_the_refusal_says_what_is_allowed() -> None:
    limit = RateLimit(2, Clock())
    taken(limit)
    with pytest.raises(RateLimited) as refused:
        limit.take(CLIENT, 1)
    assert (refused.value.code, refused.value.message) == (
        -32005,
        "rate limit exceeded: 2 requests per second",
    )


def test_what_was_refused_costs_nothing() -> None:
    clock = Clock()
    limit = RateLimit(2, clock)
    limit.take(CLIENT, 8)
    with pytest.raises(RateLimited):
        limit.take(CLIENT, 3)
    limit.take(CLIENT, 2)


def test_a_batch_larger_than_a_bucket_takes_a_whole_one() -> None:
    limit = RateLimit(2, Clock())
    limit.take(CLIENT, 1_000)
    assert taken(limit) == 0


def test_the_address_that_was_away_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_ADDRESSES", 2)
    limit = RateLimit(2, Clock())
    for client in ("a", "b", "a", "c"):
        taken(limit, client)
    assert taken(limit, "a") == 0
    assert taken(limit, "b") == 10


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        pytest.param(("127.0.0.1", 1), None, id="loopback"),
        pytest.param(("127.8.0.1", 1), None, id="another-loopback"),
        pytest.param(("::1", 1, 0, 0), None, id="loopback-6"),
        pytest.param(("::ffff:127.0.0.1", 1, 0, 0), None, id="mapped-loopback"),
        pytest.param("", None, id="unix-socket"),
        pytest.param(None, None, id="unknown"),
        pytest.param(("192.0.2.1", 1), "192.0.2.1", id="ipv4"),
        pytest.param(("::ffff:192.0.2.1", 1, 0, 0), "192.0.2.1", id="mapped"),
        pytest.param(("2001:db8:1:2:3::4", 1, 0, 0), "2001:db8:1:2::/64", id="ipv6"),
        pytest.param(("fe80::1%eth0", 1, 0, 2), "fe80::/64", id="ipv6-with-a-zone"),
    ],
)
def test_which_client_an_address_is(peer: object, client: str | None) -> None:
    assert client_of(peer) == client


def test_a_batch_costs_as_many_as_it_has_requests() -> None:
    limit = RateLimit(2, Clock())
    meter = Meter(limit, CLIENT)
    batch = json.dumps([request("eth_chainId")] * 4).encode()

    async def scenario() -> None:
        caller = local_caller(small_chain())
        for _ in range(2):
            meter.take()
            assert await answer(caller, batch, Limits(), meter)
        meter.take()
        with pytest.raises(RateLimited):
            await answer(caller, batch, Limits(), meter)

    asyncio.run(scenario())


def test_this_machine_is_not_counted() -> None:
    meter = Meter(RateLimit(2, Clock()), client_of(("127.0.0.1", 1)))
    for _ in range(100):
        meter.take()
