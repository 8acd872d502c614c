"""A model is an ERC-721 token with metadata and an ERC-2981 royalty on resale."""

from typing import Any

import pytest
from eth_abi.abi import encode

from cvm.evm.keccak import keccak256
from models_registry.addresses import MODEL_REGISTRY
from models_registry.artifact import load_artifact
from models_registry.registry_calls import (
    ResaleRoyaltySet,
    Transferred,
    encode_expire,
    encode_retire,
    encode_set_resale_royalty,
    encode_set_royalty,
    encode_transfer,
)
from models_registry.selectors import selector
from tests.unit.models_registry.contract_host import Answer
from tests.unit.models_registry.registry_chain import (
    DEADLINE,
    MODEL,
    OWNER,
    STRANGER,
    URI,
    VALIDATOR_KEYS,
    RegistryChain,
    error_of,
    events_of,
    signatures,
)

TOKEN = int.from_bytes(MODEL, "big")
FRIEND = bytes.fromhex("0c" * 20)
CONTRACT = bytes.fromhex("0d" * 20)
NOBODY = bytes(20)


@pytest.fixture
def chain() -> RegistryChain:
    return RegistryChain()


@pytest.fixture
def active(chain: RegistryChain) -> RegistryChain:
    chain.make_active()
    return chain


def call(chain: RegistryChain, sender: bytes, signature: str, *arguments: Any) -> Answer:
    types = signature[signature.index("(") + 1 : -1].split(",")
    return chain.call(sender, selector(signature) + encode(types, arguments))


def transfer(chain: RegistryChain, sender: bytes, source: bytes, to: bytes) -> Answer:
    return call(chain, sender, "transferFrom(address,address,uint256)", source, to, TOKEN)


def approve(chain: RegistryChain, to: bytes, sender: bytes = OWNER) -> Answer:
    return call(chain, sender, "approve(address,uint256)", to, TOKEN)


def approve_for_all(chain: RegistryChain, to: bytes, is_approved: bool = True) -> Answer:
    return call(chain, OWNER, "setApprovalForAll(address,bool)", to, is_approved)


def view(chain: RegistryChain, signature: str, *arguments: Any, returns: str) -> Any:
    found = chain.view(MODEL_REGISTRY, signature, list(arguments), [returns])
    return bytes.fromhex(found[2:]) if returns == "address" else found


def owner_of(chain: RegistryChain) -> Any:
    return view(chain, "ownerOf(uint256)", TOKEN, returns="address")


def balance_of(chain: RegistryChain, owner: bytes) -> Any:
    return view(chain, "balanceOf(address)", owner, returns="uint256")


def resale_royalty(chain: RegistryChain, price: int = 10_000) -> tuple[bytes, int]:
    receiver, amount = chain.view(
        MODEL_REGISTRY, "royaltyInfo(uint256,uint256)", [TOKEN, price], ["address", "uint256"]
    )
    return bytes.fromhex(receiver[2:]), amount


@pytest.mark.parametrize(
    ("interface", "is_supported"),
    [
        pytest.param("01ffc9a7", True, id="ERC-165"),
        pytest.param("80ac58cd", True, id="ERC-721"),
        pytest.param("5b5e139f", True, id="ERC-721 metadata"),
        pytest.param("2a55205a", True, id="ERC-2981"),
        pytest.param("780e9d63", False, id="ERC-721 enumerable"),
        pytest.param("ffffffff", False, id="ERC-165's invalid id"),
    ],
)
def test_interfaces_are_told(chain: RegistryChain, interface: str, is_supported: bool) -> None:
    asked = bytes.fromhex(interface)
    signature = "supportsInterface(bytes4)"
    assert view(chain, signature, asked, returns="bool") is is_supported
    data = selector(signature) + encode(["bytes4"], [asked])
    # ERC-165 allows the question 30,000 gas.
    assert chain.send(bytes(20), MODEL_REGISTRY, data).gas_used < 30_000


def test_the_collection_has_a_name_and_a_symbol(chain: RegistryChain) -> None:
    assert view(chain, "name()", returns="string") == "CVM Models"
    assert view(chain, "symbol()", returns="string") == "MODEL"


def test_a_token_says_where_its_model_can_be_read_about(chain: RegistryChain) -> None:
    chain.commit_and_register()
    assert view(chain, "tokenURI(uint256)", TOKEN, returns="string") == URI


@pytest.mark.parametrize("signature", ["tokenURI(uint256)", "ownerOf(uint256)"])
def test_a_token_that_does_not_exist_is_named(chain: RegistryChain, signature: str) -> None:
    error = error_of(lambda: view(chain, signature, TOKEN, returns="string"))
    assert error == f"ERC721NonexistentToken(tokenId={TOKEN})"


def test_the_registrant_has_the_token(chain: RegistryChain) -> None:
    chain.commit_and_register()
    assert owner_of(chain) == OWNER
    assert balance_of(chain, OWNER) == 1
    assert balance_of(chain, STRANGER) == 0


def test_nobody_has_no_balance(chain: RegistryChain) -> None:
    error = error_of(lambda: balance_of(chain, NOBODY))
    assert error == f"ERC721InvalidOwner(owner=0x{NOBODY.hex()})"


def test_an_expired_model_is_no_token_more(chain: RegistryChain) -> None:
    chain.commit_and_register()
    chain.height += DEADLINE + 1
    chain.call(STRANGER, encode_expire(MODEL))
    assert balance_of(chain, OWNER) == 0
    assert error_of(lambda: owner_of(chain)) == f"ERC721NonexistentToken(tokenId={TOKEN})"


def test_a_retired_model_is_a_token_still(active: RegistryChain) -> None:
    active.call(OWNER, encode_retire(MODEL))
    active.height += 100
    assert events_of(transfer(active, OWNER, OWNER, FRIEND)) == [Transferred(OWNER, FRIEND, MODEL)]
    assert owner_of(active) == FRIEND


def test_an_active_model_goes_to_another_owner(active: RegistryChain) -> None:
    moved = transfer(active, OWNER, OWNER, FRIEND)
    assert events_of(moved) == [Transferred(OWNER, FRIEND, MODEL)]
    assert owner_of(active) == FRIEND
    assert (balance_of(active, OWNER), balance_of(active, FRIEND)) == (0, 1)


@pytest.mark.parametrize(
    "height",
    [pytest.param(3, id="registered"), pytest.param(66, id="activated, not at its height")],
)
def test_a_pending_model_stays_with_its_owner(chain: RegistryChain, height: int) -> None:
    chain.commit_and_register()
    approve(chain, FRIEND)
    chain.activate(signatures(*VALIDATOR_KEYS))
    chain.height = height
    refused = f"NotTransferable(modelId=0x{MODEL.hex()}, status=1)"
    assert error_of(lambda: transfer(chain, OWNER, OWNER, STRANGER)) == refused
    assert error_of(lambda: transfer(chain, FRIEND, OWNER, FRIEND)) == refused
    assert error_of(lambda: chain.call(OWNER, encode_transfer(OWNER, FRIEND, MODEL))) == refused
    assert error_of(lambda: transfer(chain, OWNER, OWNER, OWNER)) == refused
    chain.height = 67
    transfer(chain, FRIEND, OWNER, FRIEND)
    assert owner_of(chain) == FRIEND


def test_an_approval_is_logged_kept_and_ends_with_the_transfer(active: RegistryChain) -> None:
    ((_, topics, _),) = approve(active, FRIEND).logs
    words = [topic[-20:] for topic in topics[1:3]]
    assert (topics[0], words) == (keccak256(b"Approval(address,address,uint256)"), [OWNER, FRIEND])
    assert view(active, "getApproved(uint256)", TOKEN, returns="address") == FRIEND
    transfer(active, FRIEND, OWNER, STRANGER)
    assert view(active, "getApproved(uint256)", TOKEN, returns="address") == NOBODY
    error = error_of(lambda: transfer(active, FRIEND, STRANGER, FRIEND))
    assert error == f"ERC721InsufficientApproval(operator=0x{FRIEND.hex()}, tokenId={TOKEN})"


def test_an_operator_acts_until_it_may_not(active: RegistryChain) -> None:
    ((_, topics, _),) = approve_for_all(active, FRIEND).logs
    assert topics[0] == keccak256(b"ApprovalForAll(address,address,bool)")
    signature = "isApprovedForAll(address,address)"
    assert view(active, signature, OWNER, FRIEND, returns="bool") is True
    approve(active, STRANGER, sender=FRIEND)
    approve_for_all(active, FRIEND, is_approved=False)
    assert view(active, signature, OWNER, FRIEND, returns="bool") is False
    error = error_of(lambda: transfer(active, FRIEND, OWNER, FRIEND))
    assert error == f"ERC721InsufficientApproval(operator=0x{FRIEND.hex()}, tokenId={TOKEN})"


def test_only_owner_and_operators_approve(active: RegistryChain) -> None:
    error = error_of(lambda: approve(active, STRANGER, sender=STRANGER))
    assert error == f"ERC721InvalidApprover(approver=0x{STRANGER.hex()})"


@pytest.mark.parametrize(
    ("sender", "source", "to", "error"),
    [
        pytest.param(
            STRANGER,
            OWNER,
            STRANGER,
            f"ERC721InsufficientApproval(operator=0x{STRANGER.hex()}, tokenId={TOKEN})",
            id="a stranger",
        ),
        pytest.param(
            OWNER,
            STRANGER,
            FRIEND,
            f"ERC721IncorrectOwner(sender=0x{STRANGER.hex()}, tokenId={TOKEN}, "
            f"owner=0x{OWNER.hex()})",
            id="from who has it not",
        ),
        pytest.param(
            OWNER,
            OWNER,
            NOBODY,
            f"ERC721InvalidReceiver(receiver=0x{NOBODY.hex()})",
            id="to nobody",
        ),
        pytest.param(
            OWNER,
            OWNER,
            MODEL_REGISTRY,
            f"ERC721InvalidReceiver(receiver=0x{MODEL_REGISTRY.hex()})",
            id="to the registry itself",
        ),
    ],
)
def test_a_transfer_is_refused(
    active: RegistryChain, sender: bytes, source: bytes, to: bytes, error: str
) -> None:
    assert error_of(lambda: transfer(active, sender, source, to)) == error
    assert owner_of(active) == OWNER


@pytest.mark.parametrize(
    ("code", "takes"),
    [
        pytest.param(load_artifact("ReentrantOwner").deployed_bytecode, True, id="a receiver"),
        pytest.param(load_artifact("DigitClassifier").deployed_bytecode, False, id="no receiver"),
        pytest.param(bytes.fromhex("60205ff3"), False, id="another answer"),
    ],
)
def test_a_safe_transfer_asks_a_contract(active: RegistryChain, code: bytes, takes: bool) -> None:
    active.place(CONTRACT, code)
    move = encode_transfer(OWNER, CONTRACT, MODEL)
    if takes:
        assert events_of(active.call(OWNER, move)) == [Transferred(OWNER, CONTRACT, MODEL)]
        assert owner_of(active) == CONTRACT
    else:
        error = error_of(lambda: active.call(OWNER, move))
        assert error == f"ERC721InvalidReceiver(receiver=0x{CONTRACT.hex()})"
        assert owner_of(active) == OWNER


@pytest.mark.parametrize(
    "allow",
    [
        pytest.param(lambda chain: approve(chain, FRIEND), id="approved"),
        pytest.param(lambda chain: approve_for_all(chain, FRIEND), id="operator"),
    ],
)
def test_who_is_approved_retires_but_sets_no_royalty(active: RegistryChain, allow: Any) -> None:
    allow(active)
    not_owner = f"NotOwner(modelId=0x{MODEL.hex()}, owner=0x{OWNER.hex()}, sender=0x{FRIEND.hex()})"
    royalty, resale = encode_set_royalty(MODEL, 1), encode_set_resale_royalty(MODEL, FRIEND, 1)
    assert error_of(lambda: active.call(FRIEND, royalty)) == not_owner
    assert error_of(lambda: active.call(FRIEND, resale)) == not_owner
    active.call(FRIEND, encode_retire(MODEL))


@pytest.mark.parametrize(
    "sender", [pytest.param(OWNER, id="former owner"), pytest.param(STRANGER, id="stranger")]
)
@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(
            encode_retire(MODEL),
            "ERC721InsufficientApproval(operator=0x{sender}, tokenId={token})",
            id="retire",
        ),
        pytest.param(
            encode_set_royalty(MODEL, 1),
            "NotOwner(modelId=0x{model}, owner=0x{owner}, sender=0x{sender})",
            id="setRoyalty",
        ),
        pytest.param(
            encode_set_resale_royalty(MODEL, STRANGER, 1),
            "NotOwner(modelId=0x{model}, owner=0x{owner}, sender=0x{sender})",
            id="setResaleRoyalty",
        ),
    ],
)
def test_who_does_not_own_the_model_changes_nothing(
    active: RegistryChain, sender: bytes, data: bytes, error: str
) -> None:
    transfer(active, OWNER, OWNER, FRIEND)
    expected = error.format(sender=sender.hex(), owner=FRIEND.hex(), model=MODEL.hex(), token=TOKEN)
    assert error_of(lambda: active.call(sender, data)) == expected


def test_there_is_no_resale_royalty_until_the_owner_sets_one(chain: RegistryChain) -> None:
    chain.commit_and_register()
    assert resale_royalty(chain) == (NOBODY, 0)
    answer = chain.call(OWNER, encode_set_resale_royalty(MODEL, FRIEND, 1_000))
    assert events_of(answer) == [ResaleRoyaltySet(MODEL, FRIEND, 1_000)]
    assert resale_royalty(chain) == (FRIEND, 1_000)
    assert resale_royalty(chain, 2**255) == (FRIEND, 2**255 // 10)


def test_a_resale_royalty_of_nothing_is_none(chain: RegistryChain) -> None:
    chain.commit_and_register()
    chain.call(OWNER, encode_set_resale_royalty(MODEL, FRIEND, 500))
    answer = chain.call(OWNER, encode_set_resale_royalty(MODEL, FRIEND, 0))
    assert events_of(answer) == [ResaleRoyaltySet(MODEL, NOBODY, 0)]
    assert resale_royalty(chain) == (NOBODY, 0)


@pytest.mark.parametrize(
    ("receiver", "basis_points", "error"),
    [
        pytest.param(FRIEND, 1_001, "ResaleRoyaltyTooHigh(given=1001, max=1000)", id="over 10 %"),
        pytest.param(
            NOBODY,
            1,
            f"ERC2981InvalidTokenRoyaltyReceiver(tokenId={TOKEN}, receiver=0x{NOBODY.hex()})",
            id="to nobody",
        ),
    ],
)
def test_a_resale_royalty_is_refused(
    chain: RegistryChain, receiver: bytes, basis_points: int, error: str
) -> None:
    chain.commit_and_register()
    data = encode_set_resale_royalty(MODEL, receiver, basis_points)
    assert error_of(lambda: chain.call(OWNER, data)) == error


def test_a_resale_royalty_stays_with_the_token_and_ends_with_it(active: RegistryChain) -> None:
    active.call(OWNER, encode_set_resale_royalty(MODEL, OWNER, 300))
    transfer(active, OWNER, OWNER, FRIEND)
    assert resale_royalty(active) == (OWNER, 300)
    approve(active, STRANGER, sender=FRIEND)
    active.call(FRIEND, encode_retire(MODEL))
    active.height += 100
    active.commit_and_register(owner=STRANGER)
    assert resale_royalty(active) == (NOBODY, 0)
    assert view(active, "getApproved(uint256)", TOKEN, returns="address") == NOBODY


def test_a_resale_royalty_ends_when_the_model_expires(chain: RegistryChain) -> None:
    chain.commit_and_register()
    chain.call(OWNER, encode_set_resale_royalty(MODEL, FRIEND, 300))
    chain.height += DEADLINE + 1
    chain.call(STRANGER, encode_expire(MODEL))
    assert resale_royalty(chain) == (NOBODY, 0)
