"""Records the vectors of the AI opcodes: `python -m tests.vectors.opcodes.record`.

The plain interpreter, which is the definition, works out what is expected. Record again only when a
rule changes, and read the difference: a test runs every vector on both interpreters.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import helper

from cvm.evm.keccak import keccak256
from cvm.evm.plain_interpreter import PlainInterpreter
from cvm.inference.backends.reference import ReferenceBackend
from cvm.inference.engine import run_items
from cvm.inference.model_file import parse_model
from models_registry.addresses import MODEL_REGISTRY
from models_registry.chunks import model_id
from models_registry.cli.prepare import Options, prepare_model
from models_registry.registry import (
    ENTRIES_SLOT,
    RECORD_WORD,
    REGISTRATION_WORD,
    RUN_WORD,
    TOKEN_OWNERS_SLOT,
    RegistryStatus,
    array_element_slot,
    mapping_slot,
)
from opcodes import gas
from opcodes.model_record import build_record
from opcodes.table import INFER_ADDRESS, INFERARRAY, MODELINFO, MODELINFO_ADDRESS
from tests.evm_world import (
    CALL,
    CHAIN_ID,
    CONTRACT,
    DELEGATECALL,
    GAS,
    INFER,
    OWNER,
    POP,
    RETURN,
    RETURN_RETURNDATA,
    REVERT,
    STATICCALL,
    STOP,
    push,
    return_top,
    store_bytes,
)
from tests.opcode_vectors import Json, ModelHost, run_vector
from tests.unit.evm.signing import SENDER, raw
from tests.unit.models_registry.prepared import ordinary

FOLDER = Path(__file__).parent
CHILD = b"\xc1" * 20
COINBASE = b"\xcb" * 20
BASE_FEE, TIP = 7, 3
NUMBER = 100
ROYALTY = 30
RICH = 10**18
ITEM = bytes([1, 2, 3, 4])
SSTORE, SELFDESTRUCT, INVALID, MLOAD = (bytes.fromhex(op) for op in ("55", "ff", "fe", "51"))
MEBIBYTE = 1 << 20


def strict(document: Any) -> bytes:
    """Return an ordinary file in the strict form."""
    return bytes(prepare_model(document.SerializeToString(), Options()).data)


def models() -> Json:
    """Return three small models: one that batches, one that takes no batch, one that is wide."""
    item = np.zeros((1, 4), np.uint8)
    bits = np.zeros((2, 2), np.bool_)
    one = np.zeros((1, 1), np.uint8)
    files = {
        "twice": ordinary(
            [helper.make_node("Concat", ["x", "x"], ["y"], axis=1)], {"x": item}, ["y"]
        ),
        "not": ordinary([helper.make_node("Not", ["x"], ["y"])], {"x": bits}, ["y"]),
        "wide": ordinary(
            [helper.make_node("Tile", ["x", "n"], ["y"])],
            {"x": one},
            ["y"],
            {"n": np.array([1, 300_000], np.int64)},
        ),
    }
    return {name: described(strict(document)) for name, document in files.items()}


def described(onnx: bytes) -> Json:
    """Return a model's file, id and record."""
    identity, model = model_id(onnx), parse_model(onnx)
    plan = ReferenceBackend().plan(model.graph)
    record = build_record(identity, model, lambda data: run_items(plan, model, data))
    return {
        "id": identity.hex(),
        "onnx": onnx.hex(),
        "record": record.encode().hex(),
        "computeGas": gas.compute_gas(record.cost),
        "loadGas": gas.load_gas(record.size_bytes),
    }


MODELS = models()
TWICE, NOT, WIDE = (bytes.fromhex(MODELS[name]["id"]) for name in ("twice", "not", "wide"))
COMPUTE, LOAD = MODELS["twice"]["computeGas"], MODELS["twice"]["loadGas"]


def registered(
    name: str,
    *,
    activation: int = 1,
    retirement: int = 0,
    royalty: int = 0,
    royalty_next: Any = None,
) -> dict[int, int]:
    """Return the registry's slots of a model; `royalty_next` is (height, royalty gas)."""
    identity = bytes.fromhex(MODELS[name]["id"])
    data = bytes.fromhex(MODELS[name]["record"])
    entry = mapping_slot(ENTRIES_SLOT, identity)
    height, following = royalty_next or (0, royalty)
    size = len(bytes.fromhex(MODELS[name]["onnx"]))
    slots = {
        mapping_slot(TOKEN_OWNERS_SLOT, identity): int.from_bytes(OWNER, "big"),
        entry + RUN_WORD: activation | retirement << 64 | royalty << 128 | following << 192,
        entry + REGISTRATION_WORD: height
        | size << 64
        | 1 << 128
        | 1 << 192
        | RegistryStatus.PENDING << 224,
        entry + RECORD_WORD: 2 * len(data) + 1,
    }
    for index in range(-(-len(data) // 32)):
        word = data[32 * index : 32 * index + 32].ljust(32, b"\0")
        slots[array_element_slot(entry + RECORD_WORD, index)] = int.from_bytes(word, "big")
    return slots


def case(
    code: bytes = b"",
    *,
    to: bytes = CONTRACT,
    data: bytes = b"",
    gas_limit: int = 1_000_000,
    value: int = 0,
    storage: dict[int, int] | None = None,
    child: bytes = b"",
    child_storage: dict[int, int] | None = None,
    registry: dict[int, int] | None = None,
    access_list: Any = (),
    again: int = 1,
) -> Json:
    """Return a case of one transaction, or of the same one several times."""
    slots = registered("twice") | registered("not") | registered("wide")
    accounts: dict[bytes, Json] = {
        SENDER: {"balance": RICH},
        MODEL_REGISTRY: {"nonce": 1, "storage": slots if registry is None else registry},
    }
    if code or storage:
        accounts[CONTRACT] = {"nonce": 1, "code": code.hex(), "storage": storage or {}}
    if child:
        accounts[CHILD] = {"nonce": 1, "code": child.hex(), "storage": child_storage or {}}
    fields = {"gas": gas_limit, "fee_cap": BASE_FEE + TIP, "tip": TIP, "access_list": access_list}
    return {
        "block": {
            "chainId": CHAIN_ID,
            "number": NUMBER,
            "timestamp": 1_000,
            "coinbase": COINBASE.hex(),
            "gasLimit": 1 << 25,
            "baseFee": BASE_FEE,
        },
        "state": {address.hex(): in_hex(account) for address, account in accounts.items()},
        "transactions": [
            raw(nonce=nonce, to=to, data=data, value=value, **fields).hex()
            for nonce in range(again)
        ],
        "watched": [SENDER.hex(), COINBASE.hex(), OWNER.hex(), CONTRACT.hex()],
    }


def in_hex(account: Json) -> Json:
    """Return an account with its storage in hex."""
    slots = {f"{slot:064x}": f"{word:064x}" for slot, word in account.get("storage", {}).items()}
    return account | ({"storage": slots} if slots else {})


# Code


def infer(
    size: int = 4, out: int = 32, out_size: int = 8, at: int = 0, model: bytes = TWICE
) -> bytes:
    """Return INFER on memory, which leaves ok."""
    return push(out_size) + push(out) + push(size) + push(at) + push(model) + INFER


def infer_array(slot: int = 5, out: int = 0, out_size: int = 8, model: bytes = TWICE) -> bytes:
    """Return INFERARRAY, which leaves ok."""
    return push(out_size) + push(out) + push(slot) + push(model) + bytes([INFERARRAY])


def info(field: int, model: bytes = TWICE) -> bytes:
    """Return MODELINFO, which leaves the value."""
    return push(field) + push(model) + bytes([MODELINFO])


def twin(address: bytes, data: bytes, kind: bytes = STATICCALL, value: int = 0) -> bytes:
    """Return a call of a twin with calldata written to memory, which leaves success."""
    worth = push(value) if kind in (CALL, bytes([0xF2])) else b""
    target = push(0) * 2 + push(len(data)) + push(0) + worth + push(address) + GAS + kind
    return store_bytes(data) + target


def call(address: bytes, kind: bytes = CALL) -> bytes:
    """Return a call without data, which leaves success."""
    worth = push(0) if kind == CALL else b""
    return push(0) * 4 + worth + push(address) + GAS + kind


def then_data(code: bytes) -> bytes:
    """End with RETURNDATA as output."""
    return code + POP + RETURN_RETURNDATA


def then_ok(code: bytes) -> bytes:
    """End with the top of the stack as output."""
    return code + return_top()


def then_memory(code: bytes, size: int = 96) -> bytes:
    """End with the start of memory as output."""
    return code + POP + push(size) + push(0) + RETURN


def array(data: bytes, slot: int = 5) -> dict[int, int]:
    """Return a `bytes` as Solidity stores it."""
    if len(data) < 32:
        return {slot: int.from_bytes(data.ljust(31, b"\0") + bytes([2 * len(data)]), "big")}
    first = int.from_bytes(keccak256(slot.to_bytes(32, "big")), "big")
    words = [data[at : at + 32].ljust(32, b"\0") for at in range(0, len(data), 32)]
    slots = {(first + at) % 2**256: int.from_bytes(word, "big") for at, word in enumerate(words)}
    return {slot: 2 * len(data) + 1} | slots


# Cases

PUT = store_bytes(ITEM)
INTRINSIC = 21_000
PUSH = 3


def infer_cases() -> Json:
    """INFER: sizes, windows, memory, errors, gas to the unit, frames."""
    pushes = 5 * PUSH
    whole = gas.INFER_BASE + LOAD + COMPUTE + 2 * gas.IO_WORD
    bare = infer(size=4, out=0, out_size=0) + STOP
    memory = 3  # one word
    exact = INTRINSIC + pushes + memory + whole
    early = registered("twice", activation=NUMBER + 1)
    return {
        "one item": case(then_data(PUT + infer())),
        "ok is 1": case(then_ok(PUT + infer())),
        "three items": case(then_data(PUT + infer(size=12))),
        "4,096 items": case(then_memory(infer(size=4 * 4_096, out_size=0)), gas_limit=1 << 24),
        "4,097 items": case(then_data(infer(size=4 * 4_097, out_size=0)), gas_limit=1 << 24),
        "no bytes": case(then_data(infer(size=0))),
        "one byte short": case(then_data(PUT + infer(size=3))),
        "one byte over": case(then_data(PUT + infer(size=5))),
        "one item of a model that takes no batch": case(then_data(infer(size=4, model=NOT))),
        "two items of a model that takes no batch": case(then_data(infer(size=8, model=NOT))),
        "output over a mebibyte": case(then_data(infer(size=4, model=WIDE))),
        "a bool that is 2": case(then_data(store_bytes(b"\2") + infer(size=4, model=NOT))),
        "a bool that is 2, ok": case(then_ok(store_bytes(b"\2") + infer(size=4, model=NOT))),
        "unknown model": case(then_data(PUT + infer(model=b"\x66" * 32))),
        "model id with a high byte only": case(then_data(PUT + infer(model=b"\xff" + bytes(31)))),
        "a block before activation": case(then_data(PUT + infer()), registry=early),
        "the block of activation": case(
            then_data(PUT + infer()), registry=registered("twice", activation=NUMBER)
        ),
        "the block before retirement": case(
            then_data(PUT + infer()), registry=registered("twice", retirement=NUMBER + 1)
        ),
        "the block of retirement": case(
            then_data(PUT + infer()), registry=registered("twice", retirement=NUMBER)
        ),
        "window smaller than the output": case(then_memory(PUT + infer(out_size=3))),
        "window larger than the output": case(
            then_memory(store_bytes(b"\xff" * 16, 32) + PUT + infer(out_size=16))
        ),
        "no window": case(then_memory(PUT + infer(out_size=0))),
        "window over the input": case(then_memory(PUT + infer(out=2))),
        "window untouched on an error": case(
            then_memory(store_bytes(b"\xff" * 8, 32) + PUT + infer(size=3))
        ),
        "no memory for no bytes at a far place": case(
            then_data(infer(size=0, at=2**200, out=2**255, out_size=0))
        ),
        "input beyond any memory": case(then_data(infer(size=4, at=2**64)), gas_limit=100_000),
        "window beyond any memory": case(then_data(infer(out=2**64)), gas_limit=100_000),
        "memory grows for the window": case(then_memory(PUT + infer(out=32 * 99))),
        "four arguments": case(push(0) * 4 + INFER),
        "gas for everything": case(bare, gas_limit=exact),
        "one gas short": case(bare, gas_limit=exact - 1),
        "gas for the base": case(bare, gas_limit=INTRINSIC + pushes + memory + gas.INFER_BASE),
        "one gas short of the base": case(
            bare, gas_limit=INTRINSIC + pushes + memory + gas.INFER_BASE - 1
        ),
        "twice in a transaction": case(then_data(PUT + infer() + POP + infer())),
        "in two transactions": case(then_data(PUT + infer()), again=2),
        "loaded by a frame that reverted": case(
            then_data(call(CHILD) + POP + infer()), child=infer() + push(0) * 2 + REVERT
        ),
        "loaded by a frame that halted": case(
            then_data(push(0) * 5 + push(CHILD) + push(50_000) + CALL + POP + infer()),
            child=infer() + INVALID,
        ),
        "loaded by a child": case(then_data(call(CHILD) + POP + infer()), child=infer() + STOP),
        "loaded by the twin": case(then_data(twin(INFER_ADDRESS, TWICE + ITEM) + POP + infer())),
        "in a static frame": case(
            then_data(call(CHILD, STATICCALL)), child=then_data(PUT + infer())
        ),
        "in a delegated frame": case(
            then_data(call(CHILD, DELEGATECALL)), child=then_data(PUT + infer())
        ),
        "in initcode": case(to=b"", data=then_data(PUT + infer())),
    }


def twin_cases() -> Json:
    """Twin of INFER at 0x0c00: every kind of call, short calldata, value, gas kept."""
    calldata = TWICE + ITEM
    kinds = {
        "CALL": CALL,
        "CALLCODE": b"\xf2",
        "DELEGATECALL": DELEGATECALL,
        "STATICCALL": STATICCALL,
    }
    cases = {
        f"{name}": case(then_data(twin(INFER_ADDRESS, calldata, kind)))
        for name, kind in kinds.items()
    }
    cases |= {f"{name}, success": case(then_ok(twin(INFER_ADDRESS, calldata, kind)))
              for name, kind in kinds.items()}  # fmt: skip
    return cases | {
        "a transaction": case(to=INFER_ADDRESS, data=calldata),
        "a transaction with value": case(to=INFER_ADDRESS, data=calldata, value=1),
        "a transaction without data": case(to=INFER_ADDRESS),
        "a transaction of 31 bytes": case(to=INFER_ADDRESS, data=TWICE[:31]),
        "a transaction of a model id": case(to=INFER_ADDRESS, data=TWICE),
        "unknown model": case(then_data(twin(INFER_ADDRESS, b"\x66" * 32 + ITEM))),
        "unknown model, success": case(then_ok(twin(INFER_ADDRESS, b"\x66" * 32 + ITEM))),
        "wrong size": case(then_data(twin(INFER_ADDRESS, calldata + b"\0"))),
        "a bool that is 2": case(then_data(twin(INFER_ADDRESS, NOT + b"\2\0\0\0"))),
        "CALL with value": case(then_ok(twin(INFER_ADDRESS, calldata, CALL, 1)), value=1),
        "CALLCODE with value": case(then_ok(twin(INFER_ADDRESS, calldata, b"\xf2", 1)), value=1),
        "DELEGATECALL in a paid frame": case(
            then_ok(twin(INFER_ADDRESS, calldata, DELEGATECALL)), value=1
        ),
        "unspent gas is kept": case(
            twin(INFER_ADDRESS, b"\x66" * 32 + ITEM) + POP + GAS + return_top(), gas_limit=200_000
        ),
        "out of gas": case(
            store_bytes(calldata)
            + push(0) * 2
            + push(len(calldata))
            + push(0)
            + push(INFER_ADDRESS)
            + push(gas.INFER_BASE + LOAD)
            + STATICCALL
            + return_top()
        ),
    }


def array_cases() -> Json:
    """INFERARRAY: both layouts, bad slots, gas to the unit, warm slots, whose storage."""
    long = bytes(at % 251 for at in range(100))
    pushes = 4 * PUSH
    bare = infer_array(out_size=0) + STOP
    slots = 3
    cold = 2_100
    rest = LOAD + 16 * COMPUTE + gas.IO_WORD * (2 + 4)
    exact = INTRINSIC + pushes + gas.INFER_BASE + slots * cold + rest
    sixty_four = array(b"\7" * 64)
    accesses = [(CONTRACT, ((5).to_bytes(32, "big"),))]
    return {
        "4 bytes": case(then_data(infer_array()), storage=array(ITEM)),
        "28 bytes": case(then_data(infer_array()), storage=array(bytes(range(28)))),
        "32 bytes": case(then_data(infer_array()), storage=array(bytes(range(32)))),
        "100 bytes": case(then_data(infer_array()), storage=array(long)),
        "ok is 1": case(then_ok(infer_array()), storage=array(ITEM)),
        "window smaller than the output": case(
            then_memory(infer_array(out=2, out_size=3)), storage=array(ITEM)
        ),
        "dirty bytes behind a short array": case(
            then_data(infer_array()),
            storage={5: int.from_bytes(ITEM + b"\xff" * 27 + b"\x08", "big")},
        ),
        "dirty bytes behind a long array": case(
            then_data(infer_array()),
            storage=array(b"\1" * 36)
            | {(int.from_bytes(keccak256(bytes(31) + b"\5"), "big") + 1) % 2**256: 2**256 - 1},
        ),
        "empty slot": case(then_data(infer_array())),
        "32 bytes in the short form": case(then_data(infer_array()), storage={5: 64}),
        "127 bytes in the short form": case(then_data(infer_array()), storage={5: 0xFE}),
        "no bytes in the long form": case(then_data(infer_array()), storage={5: 1}),
        "31 bytes in the long form": case(then_data(infer_array()), storage={5: 63}),
        "2**255 - 1 bytes": case(then_data(infer_array()), storage={5: 2**256 - 1}),
        "five bytes": case(then_data(infer_array()), storage=array(b"\1" * 5)),
        "4,097 items": case(then_data(infer_array()), storage={5: 2 * 4 * 4_097 + 1}),
        "a bad array of an unknown model": case(
            then_data(infer_array(model=b"\x66" * 32)), storage={5: 1}
        ),
        "unknown model": case(then_data(infer_array(model=b"\x66" * 32)), storage=array(ITEM)),
        "a bool that is 2": case(then_data(infer_array(model=NOT)), storage=array(b"\2\0\0\0")),
        "gas for everything": case(bare, storage=sixty_four, gas_limit=exact),
        "one gas short": case(bare, storage=sixty_four, gas_limit=exact - 1),
        "one gas short of the data": case(bare, storage=sixty_four, gas_limit=exact - rest - 1),
        "one gas short of the length": case(
            bare, storage=sixty_four, gas_limit=INTRINSIC + pushes + gas.INFER_BASE + cold - 1
        ),
        "slots are warm afterwards": case(
            then_data(infer_array() + POP + infer_array()), storage=sixty_four
        ),
        "a slot of the access list is warm": case(
            then_data(infer_array()), storage=sixty_four, access_list=accesses
        ),
        "storage of the delegating contract": case(
            then_data(call(CHILD, DELEGATECALL)),
            storage=array(ITEM),
            child=then_data(infer_array()),
            child_storage=array(b"\x09" * 4),
        ),
        "storage of the called contract": case(
            then_data(call(CHILD)),
            storage=array(ITEM),
            child=then_data(infer_array()),
            child_storage=array(b"\x09" * 4),
        ),
        "in a static frame": case(
            then_data(call(CHILD, STATICCALL)),
            child=then_data(infer_array()),
            child_storage=array(ITEM),
        ),
        "written in the same transaction": case(
            then_data(
                push(int.from_bytes(ITEM.ljust(31, b"\0") + b"\x08", "big"))
                + push(5)
                + SSTORE
                + infer_array()
            )
        ),
        "three arguments": case(push(0) * 3 + bytes([INFERARRAY])),
    }


def info_cases() -> Json:
    """MODELINFO and its twin: fields, heights, what does not exist, gas."""
    full = registered("twice", activation=9, royalty=ROYALTY)
    cases = {f"field {field}": case(then_ok(info(field)), registry=full) for field in range(11)}
    cases |= {
        f"twin, field {field}": case(
            then_data(twin(MODELINFO_ADDRESS, TWICE + field.to_bytes(32, "big"))), registry=full
        )
        for field in range(11)
    }
    exact = INTRINSIC + 2 * PUSH + gas.MODELINFO
    return cases | {
        "field 2**256 - 1": case(then_ok(info(2**256 - 1))),
        "field 10 leaves a selector": case(then_data(info(10))),
        "a field leaves nothing": case(then_data(info(10) + POP + info(0))),
        "unknown model": case(then_ok(info(0, b"\x66" * 32))),
        "owner of an unknown model": case(then_ok(info(5, b"\x66" * 32))),
        "status before activation": case(
            then_ok(info(0)), registry=registered("twice", activation=NUMBER + 1)
        ),
        "compute gas before activation": case(
            then_ok(info(1)), registry=registered("twice", activation=NUMBER + 1)
        ),
        "status of a retired model": case(
            then_ok(info(0)), registry=registered("twice", retirement=NUMBER)
        ),
        "royalty before its height": case(
            then_ok(info(6)),
            registry=registered("twice", royalty=10, royalty_next=(NUMBER + 1, 20)),
        ),
        "royalty at its height": case(
            then_ok(info(6)), registry=registered("twice", royalty=10, royalty_next=(NUMBER, 20))
        ),
        "royalty above a quarter": case(
            then_ok(info(6)), registry=registered("twice", royalty=2**64 - 1)
        ),
        "gas for it": case(info(0) + STOP, gas_limit=exact),
        "one gas short": case(info(0) + STOP, gas_limit=exact - 1),
        "twin, 63 bytes": case(then_data(twin(MODELINFO_ADDRESS, (TWICE + bytes(32))[:63]))),
        "twin, no data": case(to=MODELINFO_ADDRESS),
        "twin, more data": case(then_data(twin(MODELINFO_ADDRESS, TWICE + bytes(40)))),
        "twin, value": case(to=MODELINFO_ADDRESS, data=TWICE + bytes(32), value=1),
    }


def royalty_cases() -> Json:
    """Royalties: who gets what, under reverts, refunds, the floor of calldata, self-destructs."""
    paid = registered("twice", royalty=ROYALTY)
    once = PUT + infer() + POP
    clear = b"".join(push(0) + push(slot) + SSTORE for slot in range(1, 30))
    full = dict.fromkeys(range(1, 30), 1)
    return {
        "one call": case(once + STOP, registry=paid),
        "three items": case(PUT + infer(size=12) + STOP, registry=paid),
        "two transactions": case(once + STOP, registry=paid, again=2),
        "the twin": case(to=INFER_ADDRESS, data=TWICE + ITEM, registry=paid),
        "a refused call": case(infer(size=3) + STOP, registry=paid),
        "a call that the model refused": case(
            store_bytes(b"\2") + infer(model=NOT) + STOP,
            registry=registered("not", royalty=ROYALTY),
        ),
        "a frame that reverted": case(
            call(CHILD) + STOP, registry=paid, child=once + push(0) * 2 + REVERT
        ),
        "a transaction that reverted": case(once + push(0) * 2 + REVERT, registry=paid),
        "a transaction that halted": case(once + INVALID, registry=paid, gas_limit=100_000),
        "refunds": case(once + clear + STOP, registry=paid, storage=full),
        "the floor of calldata": case(once + STOP, registry=paid, data=b"\xff" * 2_000),
        "a royalty above a quarter": case(
            once + STOP, registry=registered("twice", royalty=2**64 - 1)
        ),
        "a royalty of the block before": case(
            once + STOP,
            registry=registered("twice", royalty=10, royalty_next=(NUMBER + 1, 20)),
        ),
        "a contract that destroys itself": case(
            once + push(OWNER) + SELFDESTRUCT, registry=paid, value=5
        ),
    }


FILES = {
    "infer": infer_cases,
    "infer_twin": twin_cases,
    "infer_array": array_cases,
    "model_info": info_cases,
    "royalties": royalty_cases,
}


def main() -> None:
    """Write every file anew."""
    host = ModelHost(MODELS)
    (FOLDER / "models.json").write_text(json.dumps(MODELS, indent=1) + "\n", encoding="utf-8")
    for name, made in FILES.items():
        cases = made()
        for one in cases.values():
            one["expect"] = run_vector(host, one, PlainInterpreter)
        text = json.dumps(cases, indent=1) + "\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
