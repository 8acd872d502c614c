"""Handshakes and sessions between two nodes without sockets."""

from node.p2p.discv5.endpoint import Endpoint
from node.p2p.discv5.exchange import (
    CHALLENGE_LIFETIME_S,
    CHALLENGES,
    MAX_CALLS_PER_CONTACT,
)
from node.p2p.discv5.messages import FindNode, Nodes, Ping, Pong, TalkRequest, TalkResponse
from node.p2p.discv5.packet import (
    Handshake,
    Ordinary,
    WhoAreYou,
    authenticated_bytes,
    decode_packet,
    encode_packet,
)
from tests.unit.node.p2p.discv5.discv5_world import (
    ANNE_ENDPOINT,
    BERT_ENDPOINT,
    Side,
    carry,
    record_at,
    two_sides,
)

ID = b"\x01"


def test_a_first_request_takes_a_handshake() -> None:
    anne, bert = two_sides()
    call = anne.call(bert, Ping(ID, 2))
    anne.exchange.start(call, 0)
    assert carry(anne, bert) == 4  # random bytes, WHOAREYOU, handshake, PONG
    assert call.answers == [Pong(ID, 2, ANNE_ENDPOINT)]
    assert bert.met == [(anne.contact, anne.own.record)]


def test_a_second_request_uses_the_session() -> None:
    anne, bert = two_sides()
    first, second = anne.call(bert, Ping(ID, 2)), anne.call(bert, Ping(b"\x02", 2))
    anne.exchange.start(first, 0)
    carry(anne, bert)
    anne.exchange.finish(first, 0)
    anne.exchange.start(second, 0)
    assert carry(anne, bert) == 2
    assert second.answers == [Pong(b"\x02", 2, ANNE_ENDPOINT)]


def test_the_other_side_uses_the_same_session() -> None:
    anne, bert = two_sides()
    anne.exchange.start(anne.call(bert, Ping(ID, 2)), 0)
    carry(anne, bert)
    back = bert.call(anne, Ping(ID, 2))
    bert.exchange.start(back, 0)
    assert carry(anne, bert) == 2
    assert back.answers == [Pong(ID, 2, BERT_ENDPOINT)]


def test_a_lost_session_is_made_anew_without_losing_the_request() -> None:
    anne, bert = two_sides()
    first = anne.call(bert, Ping(ID, 2))
    anne.exchange.start(first, 0)
    carry(anne, bert)
    anne.exchange.finish(first, 0)
    bert = Side(2, BERT_ENDPOINT)  # restarted
    second = anne.call(bert, Ping(ID, 2))
    anne.exchange.start(second, 1)
    assert carry(anne, bert, 1) == 4
    assert second.answers == [Pong(ID, 2, ANNE_ENDPOINT)]


def test_two_handshakes_at_once_leave_both_sides_able_to_speak() -> None:
    anne, bert = two_sides()
    calls = [anne.call(bert, Ping(ID, 2)), bert.call(anne, Ping(ID, 2))]
    anne.exchange.start(calls[0], 0)
    bert.exchange.start(calls[1], 0)
    carry(anne, bert)
    assert [len(call.answers) for call in calls] == [1, 1]


def test_requests_to_one_node_wait_for_each_other() -> None:
    anne, bert = two_sides()
    calls = [anne.call(bert, Ping(bytes((n,)), 2)) for n in range(1, MAX_CALLS_PER_CONTACT + 2)]
    started = [anne.exchange.start(call, 0) for call in calls]
    assert started == [True] * MAX_CALLS_PER_CONTACT + [False]
    for call in calls[:-1]:
        carry(anne, bert)
        assert len(call.answers) == 1
        anne.exchange.finish(call, 0)
    assert bert.exchange.counters.handshakes == 1


def test_a_record_travels_only_where_it_is_newer() -> None:
    anne, bert = two_sides()
    bert.table.add(anne.own.record, 0)
    anne.exchange.start(anne.call(bert, Ping(ID, 2)), 0)
    bert.exchange.receive(anne.sent.popleft()[0], ANNE_ENDPOINT, 0)
    anne.exchange.receive(bert.sent.popleft()[0], BERT_ENDPOINT, 0)
    header = decode_packet(bert.own.record.node_id, anne.sent[0][0]).header
    assert isinstance(header, Handshake)
    assert header.record == b""
    carry(anne, bert)
    assert bert.met == [(anne.contact, anne.own.record)]


def test_nodes_come_in_packets_of_at_most_1280_bytes() -> None:
    anne, bert = two_sides()
    for number in range(3, 40):
        bert.table.add(record_at(number, f"10.0.1.{number}"), 0)
    call = anne.call(bert, FindNode(ID, (256, 255, 254, 253)))
    anne.exchange.start(call, 0)
    bert_sizes = []
    while anne.sent or bert.sent:
        bert_sizes += [len(datagram) for datagram, _ in bert.sent]
        carry_one(anne, bert)
    nodes = [answer for answer in call.answers if isinstance(answer, Nodes)]
    assert sum(len(answer.records) for answer in nodes) == 16
    assert len(nodes) == nodes[0].total == 2
    assert max(bert_sizes) <= 1280


def carry_one(anne: Side, bert: Side) -> None:
    for sender, receiver in ((anne, bert), (bert, anne)):
        if sender.sent:
            receiver.exchange.receive(sender.sent.popleft()[0], sender.endpoint, 0)


def test_an_unknown_protocol_gets_an_empty_answer() -> None:
    anne, bert = two_sides()
    call = anne.call(bert, TalkRequest(ID, b"waku", b"hello"))
    anne.exchange.start(call, 0)
    carry(anne, bert)
    assert call.answers == [TalkResponse(ID, b"")]


def handshake_of(anne: Side, bert: Side) -> bytes:
    """Return the handshake packet that anne sends to bert."""
    anne.exchange.start(anne.call(bert, Ping(ID, 2)), 0)
    bert.exchange.receive(anne.sent.popleft()[0], ANNE_ENDPOINT, 0)
    anne.exchange.receive(bert.sent.popleft()[0], BERT_ENDPOINT, 0)
    return anne.sent.popleft()[0]


def test_a_handshake_from_another_address_opens_nothing() -> None:
    anne, bert = two_sides()
    packet = handshake_of(anne, bert)
    bert.exchange.receive(packet, Endpoint("10.0.0.9", 30301), 0)
    assert (bert.met, len(bert.sent), bert.exchange.counters.refused) == ([], 0, 1)


def test_a_handshake_cannot_be_replayed() -> None:
    anne, bert = two_sides()
    packet = handshake_of(anne, bert)
    bert.exchange.receive(packet, ANNE_ENDPOINT, 0)
    bert.exchange.receive(packet, ANNE_ENDPOINT, 0)
    assert (len(bert.met), bert.exchange.counters.refused) == (1, 1)


def test_a_challenge_expires() -> None:
    anne, bert = two_sides()
    packet = handshake_of(anne, bert)
    bert.exchange.receive(packet, ANNE_ENDPOINT, CHALLENGE_LIFETIME_S + 0.1)
    assert (bert.met, bert.exchange.counters.refused) == ([], 1)


def test_a_handshake_with_another_nodes_record_is_refused() -> None:
    anne, bert = two_sides()
    header = decode_packet(bert.own.record.node_id, handshake_of(anne, bert)).header
    assert isinstance(header, Handshake)
    forged = Handshake(
        header.source, header.id_signature, header.ephemeral_key, record_at(7).encode()
    )
    authenticated = authenticated_bytes(bytes(16), bytes(12), forged)
    packet = encode_packet(bert.own.record.node_id, authenticated, bytes(20))
    bert.exchange.receive(packet, ANNE_ENDPOINT, 0)
    assert (bert.met, bert.exchange.counters.refused) == ([], 1)


def test_a_challenge_that_answers_nothing_is_refused() -> None:
    anne, bert = two_sides()
    anne.exchange.start(anne.call(bert, Ping(ID, 2)), 0)
    authenticated = authenticated_bytes(bytes(16), bytes(12), WhoAreYou(bytes(16), 0))
    anne.exchange.receive(encode_packet(anne.own.record.node_id, authenticated), BERT_ENDPOINT, 0)
    assert (len(anne.sent), anne.exchange.counters.refused) == (1, 1)


def test_a_second_challenge_for_one_request_is_refused() -> None:
    anne, bert = two_sides()
    packet = decode_packet(bert.own.record.node_id, handshake_of(anne, bert))
    authenticated = authenticated_bytes(bytes(16), packet.nonce, WhoAreYou(bytes(16), 0))
    anne.exchange.receive(encode_packet(anne.own.record.node_id, authenticated), BERT_ENDPOINT, 0)
    assert (len(anne.sent), anne.exchange.counters.refused) == (0, 1)


def stranger(number: int, to: Side) -> bytes:
    """Return a first packet of a node that nobody knows."""
    header = Ordinary(number.to_bytes(32, "big"))
    authenticated = authenticated_bytes(bytes(16), bytes(12), header)
    return encode_packet(to.own.record.node_id, authenticated, bytes(20))


def test_a_challenge_is_no_longer_than_what_provoked_it() -> None:
    _, bert = two_sides()
    shortest = stranger(1, bert)[:71]
    bert.exchange.receive(shortest, ANNE_ENDPOINT, 0)
    assert len(bert.sent[0][0]) == 63 <= len(shortest)


def test_an_open_challenge_is_sent_again_and_not_replaced() -> None:
    _, bert = two_sides()
    bert.exchange.receive(stranger(1, bert), ANNE_ENDPOINT, 0)
    bert.exchange.receive(stranger(1, bert), ANNE_ENDPOINT, 1)
    assert bert.sent[0] == bert.sent[1]
    assert bert.exchange.counters.challenged == 1


def test_challenges_are_bounded_and_one_source_gets_few() -> None:
    _, bert = two_sides()
    for number in range(3 * CHALLENGES):
        bert.exchange.receive(stranger(number, bert), ANNE_ENDPOINT, 0)
    assert len(bert.sent) == 133  # 400 tokens, three for each
    bert.exchange.receive(stranger(9, bert), Endpoint("10.0.0.7", 1), 0)
    assert len(bert.sent) == 134


def test_who_is_awaited_is_heard_in_a_flood_of_others() -> None:
    anne, bert = two_sides()
    call = anne.call(bert, Ping(ID, 2))
    anne.exchange.start(call, 0)
    for number in range(4_001):
        anne.exchange.receive(bytes(63), Endpoint(f"10.1.{number // 250}.{number % 250}", 1), 0)
    assert not anne.exchange._allowance.take(Endpoint("10.9.9.9", 1), 1, 0)
    carry(anne, bert)
    assert call.answers == [Pong(ID, 2, ANNE_ENDPOINT)]


def test_an_answer_of_another_kind_is_refused() -> None:
    anne, bert = two_sides()
    bert.answer = lambda contact, request: (TalkResponse(request.request_id, b""),)  # type: ignore[method-assign]
    call = anne.call(bert, Ping(ID, 2))
    anne.exchange.start(call, 0)
    carry(anne, bert)
    assert (call.answers, anne.exchange.counters.refused) == ([], 1)
