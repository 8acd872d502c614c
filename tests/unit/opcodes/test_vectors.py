"""Both interpreters give what the recorded vectors of the AI opcodes say, to the unit of gas."""

import json
from functools import cache
from pathlib import Path

import pytest

from cvm.evm.message_rules import Interpreter
from cvm.evm.native_interpreter import NativeInterpreter
from cvm.evm.plain_interpreter import PlainInterpreter
from tests.opcode_vectors import Json, ModelHost, run_vector

FOLDER = Path(__file__).parents[2] / "vectors" / "opcodes"
FILES = ("infer", "infer_array", "infer_twin", "model_info", "royalties")
CASES = {
    f"{name}: {title}": case
    for name in FILES
    for title, case in json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")).items()
}


@cache
def host() -> ModelHost:
    return ModelHost(json.loads((FOLDER / "models.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("interpreter", [NativeInterpreter, PlainInterpreter])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_vector_holds(case: Json, interpreter: type[Interpreter]) -> None:
    assert run_vector(host(), case, interpreter) == case["expect"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_the_sender_paid_is_shared(case: Json) -> None:
    """Owner, coinbase and burn get what the gas cost; the formula is PROTOCOL section 3's."""
    expect, state = case["expect"], case["state"]
    base_fee, price = case["block"]["baseFee"], 10
    owner, royalty_wei, tip_wei = "0e" * 20, 0, 0
    for ran in expect["transactions"]:
        royalty = sum(call["royalty"] for call in ran["inferences"] if call["ok"])
        royalty_wei += royalty * price
        tip_wei += (ran["gasUsed"] - royalty) * (price - base_fee)
    sent = sum(expect["balances"][address] for address in case["watched"])
    before = sum(state.get(address, {}).get("balance", 0) for address in case["watched"])
    used = sum(ran["gasUsed"] for ran in expect["transactions"])
    burned = used * price - royalty_wei - tip_wei
    assert expect["balances"]["cb" * 20] == tip_wei
    assert before - sent == burned
    assert expect["balances"][owner] in (royalty_wei, royalty_wei + 5)  # 5: what a contract left it
