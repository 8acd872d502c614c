"""The events that a transaction leaves in its receipt, and their RLP."""

from cvm.evm.machine_limits import WORD_BYTES
from cvm.evm.rlp_encoding import encode_bytes, encode_list
from cvm.evm.rlp_lists import ADDRESS_BYTES, expect_shape, fixed_bytes, split_items
from cvm.evm.strict_rlp import BadRlp
from cvm.evm.value_class import value_class

MAX_TOPICS = 4


@value_class
class Log:
    """One event: who logged it, up to four topics of 32 bytes, and bytes."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes

    def encode(self) -> bytes:
        """Return the RLP."""
        topics = b"".join([b"\xa0" + topic for topic in self.topics])
        return encode_list(b"\x94" + self.address + encode_list(topics) + encode_bytes(self.data))


def decode_log(payload: bytes) -> Log:
    """Decode the payload of one log; raises `BadRlp`."""
    parts, kinds = split_items(payload, 0, len(payload))
    expect_shape("a log", parts, kinds, 3, [1])
    topics, topic_lists = split_items(parts[1], 0, len(parts[1]), WORD_BYTES)
    expect_shape("the topics", topics, topic_lists, len(topics), [])
    if len(topics) > MAX_TOPICS:
        raise BadRlp(f"a log has {len(topics)} topics, at most {MAX_TOPICS}")
    return Log(
        fixed_bytes("a log address", parts[0], ADDRESS_BYTES),
        tuple(fixed_bytes("a topic", topic, WORD_BYTES) for topic in topics),
        parts[2],
    )
