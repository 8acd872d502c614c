"""The message vectors of Consensys/qbft-tests: the same bytes both ways."""

from consensus.qbft.message_decoding import decode_message
from tests.conformance.archives import json_files
from tests.conformance.qbft_messages import CODES, data_of, message_of

NAMES = {
    "prepare",
    "commit",
    "roundChange_empty_prepares",
    "roundChange_with_prepares",
    "proposal_empty_prepares_and_roundChanges",
    "proposal_with_prepares_and_roundChanges",
}


def test_messages_have_the_bytes_of_the_suite() -> None:
    vectors = json_files("qbft")["qbft/messages.json"]
    assert set(vectors) == NAMES
    for name, vector in vectors.items():
        assert message_of(vector["message"]).encode() == data_of(vector["rlp"]), name


def test_bytes_of_the_suite_are_read_as_its_messages() -> None:
    vectors = json_files("qbft")["qbft/messages.json"]
    assert set(vectors) == NAMES
    for name, vector in vectors.items():
        code = CODES[vector["message"]["type"]]
        assert decode_message(code, data_of(vector["rlp"])) == message_of(vector["message"]), name
