"""Certificates as contracts take them, with the time under which a chain knows them."""

import json

import pytest

from consensus.certificate import decode_certificate
from node.rpc.cvm_certificates import MAX_CERTIFICATES
from tests.unit.node.rpc.fake_chain import small_chain
from tests.unit.node.rpc.rpc_caller import ask, request, result_list

METHOD = "cvm_listCertificates"


def test_a_certificate_comes_with_the_time_of_the_next_block() -> None:
    chain = small_chain()
    first = result_list(chain, METHOD, "0x1", "0x1")[0]
    header, following = chain.blocks[1].header, chain.blocks[2].header
    assert {name: first[name] for name in ("height", "round", "blockHash", "signers")} == {
        "height": "0x1",
        "round": "0x1",
        "blockHash": f"0x{header.hash.hex()}",
        "signers": "0xb",
    }
    assert first["provenAt"] == hex(following.timestamp)
    encoded = bytes.fromhex(str(first["data"])[2:])
    assert decode_certificate(encoded) == chain.certificate(1)


def test_the_heads_certificate_is_not_provable_yet() -> None:
    assert result_list(small_chain(), METHOD, "0x3", "0x3")[0]["provenAt"] is None


def test_heights_without_a_certificate_are_left_out() -> None:
    listed = result_list(small_chain(), METHOD, "0x0", "0x63")
    assert [each["height"] for each in listed] == ["0x1", "0x2", "0x3"]


@pytest.mark.parametrize(
    ("last", "code", "words"),
    [
        pytest.param("0x0", -32602, "the last height, 0, is below the first, 1", id="backwards"),
        pytest.param(
            hex(1 + MAX_CERTIFICATES), -32005, "257 heights, at most 256 in one call", id="too many"
        ),
    ],
)
def test_a_range_that_cannot_be_answered_is_refused(last: str, code: int, words: str) -> None:
    answer = ask(small_chain(), json.dumps(request(METHOD, "0x1", last)))
    assert isinstance(answer, dict)
    assert answer["error"] == {"code": code, "message": words}
