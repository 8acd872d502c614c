"""Runs random blocks on our execution core and on another one; every answer must agree.

    python -m tests.evm_fuzzer --cases 10000 --seed 0 --peer eels

Everything follows from the seed. Peers: `native` compares our two interpreters, `eels` the
executable specification, `anvil` revm, `py-evm` the package of that name. Every run checks marked
bytes around the buffers of the compiled loop. The first difference is made small and printed as
assembly; the command then ends with status 1.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()

from cvm.evm.forks import OSAKA, PRAGUE, Fork  # noqa: E402
from cvm.evm.native_interpreter import NativeInterpreter  # noqa: E402
from cvm.evm.signatures import address_of_key  # noqa: E402
from cvm.evm.transaction import LEGACY, SET_CODE, Authorization, Transaction  # noqa: E402
from cvm.evm.transaction_gas import floor_data_gas, intrinsic_gas  # noqa: E402
from cvm.evm.transaction_signing import UnsignedTransaction, sign_authorization  # noqa: E402
from tests.evm_fuzz_blocks import (  # noqa: E402
    Answer,
    Block,
    NoAnswer,
    OwnRun,
    Ran,
    difference,
    run_block,
)
from tests.evm_fuzz_cases import CHAIN_ID, Case, DrawnTransaction, drawn_case  # noqa: E402
from tests.evm_fuzz_peers import AnvilPeer, EelsPeer, Peer, PlainPeer  # noqa: E402
from tests.evm_fuzz_py_evm import PyEvmPeer  # noqa: E402

FORKS = (PRAGUE, OSAKA)
MAX_TRIES = 3000
PROGRESS_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class FuzzReport:
    """How many cases ran, how their transactions went, and the first difference.

    On `unanswered` of the cases the peer breaks down; nothing was compared there.
    """

    cases: int
    unanswered: int
    succeeded: int
    failed: int
    refused: int
    found: str | None


def signed(tx: DrawnTransaction, run: OwnRun, fork: Fork) -> Transaction:
    """Sign a transaction with nonces that are right at this point of the block."""
    sender = address_of_key(tx.key)
    unsigned = UnsignedTransaction(
        type_id=tx.type_id,
        chain_id=CHAIN_ID if tx.type_id != LEGACY or tx.value != 1 else None,
        nonce=max(0, run.nonce(sender) + tx.nonce_shift),
        max_fee_per_gas=tx.fee_cap,
        max_priority_fee_per_gas=tx.tip,
        gas=1,
        to=tx.to,
        value=tx.value,
        data=tx.payload,
        access_list=tx.access_list,
        max_fee_per_blob_gas=tx.blob_fee_cap,
        blob_versioned_hashes=tx.blob_hashes,
        authorization_list=authorizations(tx, run, sender),
    )
    draft = unsigned.sign(tx.key)
    least = max(intrinsic_gas(draft, fork), floor_data_gas(draft.data, fork))
    return replace(unsigned, gas=least + tx.gas).sign(tx.key)


def authorizations(tx: DrawnTransaction, run: OwnRun, sender: bytes) -> tuple[Authorization, ...]:
    """Sign the delegations of a transaction of type 4, one after the other."""
    made: list[Authorization] = []
    used: dict[bytes, int] = {sender: 1}
    for item in tx.delegations if tx.type_id == SET_CODE else ():
        signer = address_of_key(item.key)
        nonce = max(0, run.nonce(signer) + used.get(signer, 0) + item.shift)
        one = sign_authorization(item.key, item.chain_id, item.target, nonce)
        made.append(replace(one, r=one.r + 1) if item.is_broken else one)
        if not item.shift and not item.is_broken and item.chain_id in (0, CHAIN_ID):
            used[signer] = used.get(signer, 0) + 1
    return tuple(made)


def signed_block(case: Case) -> tuple[Block, Answer]:
    """Sign the block of a case while our compiled loop runs it; return also what that says."""
    run = OwnRun(case.fork, case.context, case.accounts(), NativeInterpreter)
    raws, ran = [], []
    for drawn in case.transactions:
        tx = signed(drawn, run, case.fork)
        raws.append(tx.raw)
        ran.append(run.apply(tx.raw))
    block = Block(case.fork, case.context, case.accounts(), tuple(raws))
    return block, run.answer(ran)


def judge(case: Case, peer: Peer) -> tuple[Answer, str | None]:
    """Return our answer to a case, and the first difference to the peer's; raises `NoAnswer`."""
    block, ours = signed_block(case)
    asked, theirs = peer.answer(block)
    if isinstance(peer, AnvilPeer | PyEvmPeer):
        ours = run_block(asked, NativeInterpreter, peer.block_hash)
        theirs = peer.state(ours, theirs)
    return ours, difference(ours, theirs)


def fuzz(cases: int, seed: int, peer: Peer, forks: Sequence[Fork], start: int = 0) -> FuzzReport:
    """Run random cases until so many ran, or one differs."""
    counts: Counter[str] = Counter()
    text = None
    began = shown = time.monotonic()
    for number in range(start, start + cases):
        case = drawn_case(seed, number, forks)
        counts["cases"] += 1
        try:
            ours, found = judge(case, peer)
        except NoAnswer:
            counts["unanswered"] += 1
            continue
        counts.update(map(fate, ours.transactions))
        if found is not None:
            text = described(case, number, peer)
            break
        if time.monotonic() - shown > PROGRESS_EVERY_S:
            shown = time.monotonic()
            sys.stderr.write(f"{shown - began:.0f} s: {dict(counts)}\n")
    return FuzzReport(
        counts["cases"],
        counts["unanswered"],
        counts["succeeded"],
        counts["failed"],
        counts["refused"],
        text,
    )


def fate(ran: Ran | None) -> str:
    """Return how a transaction went, in one word."""
    if ran is None:
        return "refused"
    return "succeeded" if ran.is_success else "failed"


def differs(case: Case, peer: Peer) -> bool:
    """Tell whether a peer answers a case, and otherwise than we."""
    try:
        return judge(case, peer)[1] is not None
    except NoAnswer:
        return False


def described(case: Case, number: int, peer: Peer) -> str:
    """Make a case that differs small, and return it with its difference."""
    small = shrunk(case, peer)
    _ours, found = judge(small, peer)
    return f"case {number} differs: {found}\n{small.text()}"


def shrunk(case: Case, peer: Peer) -> Case:
    """Return a case with as little in it as still differs."""
    tries, is_smaller = 0, True
    while is_smaller and tries < MAX_TRIES:
        is_smaller = False
        for less in case.smaller():
            tries += 1
            if tries >= MAX_TRIES:
                break
            if less.transactions and differs(less, peer):
                case, is_smaller = less, True
                break
    return case


def peer_of(name: str, fork: Fork) -> Peer:
    """Return a peer by its name."""
    if name == "eels":
        return EelsPeer()
    if name == "py-evm":
        return PyEvmPeer()
    return AnvilPeer(fork) if name == "anvil" else PlainPeer()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its status."""
    parser = argparse.ArgumentParser(prog="python -m tests.evm_fuzzer")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="the number of the first case")
    parser.add_argument("--peer", choices=("native", "anvil", "eels", "py-evm"), default="native")
    parser.add_argument("--fork", choices=[fork.name for fork in FORKS], help="only this one")
    chosen = parser.parse_args(arguments)
    forks = tuple(fork for fork in FORKS if chosen.fork in (None, fork.name))
    if chosen.peer == "anvil":
        forks = forks[-1:]
    if chosen.peer == "py-evm":
        forks = (PRAGUE,)
    peer = peer_of(chosen.peer, forks[-1])
    try:
        report = fuzz(chosen.cases, chosen.seed, peer, forks, chosen.start)
    finally:
        peer.close()
    sys.stdout.write(
        f"{report.cases} cases against {chosen.peer}, {report.unanswered} of them without an"
        f" answer: {report.succeeded} transactions went well,"
        f" {report.failed} failed, {report.refused} refused\n"
    )
    if report.found is not None:
        sys.stdout.write(report.found + "\n")
        return 1
    sys.stdout.write("nothing differs\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
