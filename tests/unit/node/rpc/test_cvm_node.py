"""What a node says of itself."""

import asyncio

from node.readiness import NodeReadiness, Phase
from node.rpc.cvm_node import list_evidence, node_status
from tests.unit.node.rpc.fake_chain import EVIDENCE, FakeChain


class Waiting(FakeChain):
    """A chain at height 2 whose node lacks a model."""

    def node_status(self) -> NodeReadiness:
        return NodeReadiness(Phase.NOT_READY, 2, 3, (b"\x11" * 32, b"\x22" * 32), None, 4)


def test_a_ready_node_says_so() -> None:
    assert asyncio.run(node_status(FakeChain())) == {
        "status": "ready",
        "phase": "ready",
        "height": "0x2",
        "highestHeight": "0x2",
        "missingModels": [],
        "quarantinedBackend": None,
        "round": "0x0",
    }


def test_a_node_that_lacks_models_names_them() -> None:
    assert asyncio.run(node_status(Waiting())) == {
        "status": f"not ready (model 0x{'11' * 32} and 1 more missing)",
        "phase": "not ready",
        "height": "0x2",
        "highestHeight": "0x3",
        "missingModels": [f"0x{'11' * 32}", f"0x{'22' * 32}"],
        "quarantinedBackend": None,
        "round": "0x4",
    }


def test_evidence_is_listed_as_the_contract_takes_it() -> None:
    assert asyncio.run(list_evidence(FakeChain())) == [
        {
            "validator": f"0x{'e1' * 20}",
            "code": "0x13",
            "height": "0x7",
            "round": "0x1",
            "data": f"0x{EVIDENCE.encode().hex()}",
        }
    ]
