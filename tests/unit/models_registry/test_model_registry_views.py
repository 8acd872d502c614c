"""What the contract says of a model, what MODELINFO says, and what a node reads: one answer."""

from typing import Any

from eth_abi.abi import encode
from hypothesis import settings
from hypothesis.stateful import invariant

from models_registry.addresses import MODEL_REGISTRY
from models_registry.contract_abi import ContractAbi
from models_registry.registry import RegistryStatus, read_active_record, read_entry
from opcodes.model_info import (
    ACTIVATION_HEIGHT,
    GAS_PER_ITEM,
    OWNER,
    ROYALTY_GAS,
    STATUS,
)
from opcodes.table import MODELINFO_ADDRESS
from tests.unit.models_registry.test_model_registry_sequences import MODELS, RegistrySequences

NOBODY = bytes(20)
LOOK_AHEAD = 5
"""Blocks ahead that are asked: more than every delay of the registry under test."""


class RegistryViews(RegistrySequences):
    """Random calls, and after each of them the same questions in three ways at several heights."""

    def get_model(self, model_id: bytes, height: int) -> Any:
        abi = ContractAbi("ModelRegistry")
        call = abi.calldata("getModel", model_id)
        return abi.result("getModel", self.ask(MODEL_REGISTRY, call, height))

    def info(self, model_id: bytes, field: int, height: int) -> int:
        call = encode(["bytes32", "uint256"], [model_id, field])
        return int.from_bytes(self.ask(MODELINFO_ADDRESS, call, height), "big")

    def ask(self, to: bytes, call: bytes, height: int) -> bytes:
        return self.chain.dry_run(NOBODY, to, call, height).output

    @invariant()
    def contract_opcode_and_reader_agree_at_every_height(self) -> None:
        now = self.chain.height
        for height in range(now, now + LOOK_AHEAD):
            for model_id in MODELS:
                self._compare(model_id, height)

    def _compare(self, model_id: bytes, height: int) -> None:
        model = self.get_model(model_id, height)
        owner, size, royalty, status, activation = (model[i] for i in (1, 2, 3, 6, 8))
        entry = read_entry(self.chain.storage, model_id, height)
        assert self.info(model_id, STATUS, height) == status
        assert self.info(model_id, OWNER, height) == int(owner, 16)
        assert self.info(model_id, ACTIVATION_HEIGHT, height) == activation
        if entry is None:
            assert (status, size, royalty, int(owner, 16)) == (0, 0, 0, 0)
            return
        assert entry.status == status
        assert "0x" + entry.owner.hex() == owner
        assert (entry.size_bytes, entry.royalty_gas) == (size, royalty)
        if entry.record is not None:
            most = self.info(model_id, GAS_PER_ITEM, height) // 4
            assert self.info(model_id, ROYALTY_GAS, height) == min(royalty, most)
        active = read_active_record(self.chain.storage, model_id, height)
        assert (active is not None) == (status == RegistryStatus.ACTIVE)
        assert active is None or (active.royalty_gas, active.record) == (royalty, entry.record)


TestRegistryViews = RegistryViews.TestCase
TestRegistryViews.settings = settings(
    derandomize=True, max_examples=10, stateful_step_count=30, deadline=None
)
