"""eth_createAccessList: what a message touches, found by running it until that stays the same.

Follows geth 1.16, eth/tracers/logger/access_list_tracer.go and internal/ethapi/api.go.
"""

from dataclasses import dataclass, replace
from functools import partial

from cvm.evm.calls import CALL, CALLCODE, DELEGATECALL, STATICCALL
from cvm.evm.creation_address import creation_address
from cvm.evm.message_call import CallSetting, run_message
from cvm.evm.messages import Message, Outcome
from cvm.evm.native_interpreter import SELFDESTRUCT
from cvm.evm.plain_interpreter import PlainInterpreter
from cvm.evm.precompiles.table import precompiles
from cvm.evm.tracer import TracedFrame
from cvm.evm.transaction import AccessList
from node.execution.call_request import CALL_GAS_CAP, CallRequest, simulated
from node.execution.execution_chain import ExecutionChain
from node.execution.messages import header_of, overridden_setting
from node.execution.overrides import StateOverrides
from node.execution.trace_budget import BoundTracer, TraceBudget

SLOAD, SSTORE = 0x54, 0x55
BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH = 0x31, 0x3B, 0x3C, 0x3F
ADDRESS_ON_TOP = frozenset((BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT))
ADDRESS_BELOW = frozenset((CALL, CALLCODE, DELEGATECALL, STATICCALL))
LEAST_WORDS_OF_CALLS = 5


@dataclass(frozen=True, slots=True)
class AccessListResult:
    """The list, the gas used with it, and the words of an error if the message failed."""

    access_list: AccessList
    gas_used: int
    error: str | None


@dataclass(frozen=True, slots=True)
class AccessListJob:
    """Find the access list of a message on the state after a block."""

    block_hash: bytes
    request: CallRequest
    state: StateOverrides = ()

    def run(self, chain: ExecutionChain) -> AccessListResult:
        """Return the list that a run with it does not make longer.

        Raises `ExecutionTimedOut` where all the runs together take too long.
        """
        header, request = header_of(chain, self.block_hash), self.request
        budget = TraceBudget()
        with overridden_setting(
            chain, header, self.state, free_gas=request.gas_price == 0
        ) as setting:
            excluded = excluded_addresses(setting, request)
            access_list = request.access_list
            while True:
                touched = Touched(access_list, excluded)
                watched = partial(PlainInterpreter, tracer=BoundTracer(touched, budget))
                rules = replace(setting.rules, interpreter=watched)
                message = simulated(replace(request, access_list=access_list), CALL_GAS_CAP)
                result = run_message(replace(setting, rules=rules), message)
                found = touched.access_list()
                if found == access_list:
                    return AccessListResult(found, result.gas_used, result.error)
                access_list = found


def excluded_addresses(setting: CallSetting, request: CallRequest) -> frozenset[bytes]:
    """Return what is warm anyway: the ends of the message, precompiles, and authorities."""
    to = request.to
    if to is None:
        account = setting.reader.account(request.sender)
        to = creation_address(request.sender, 0 if account is None else account.nonce)
    signers = [item.signer() for item in request.authorization_list]
    return frozenset(
        (
            *(request.sender, to),
            *precompiles(setting.rules.fork),
            *setting.rules.additions.precompiles,
            *(signer for signer in signers if signer is not None),
        )
    )


class Touched:
    """A tracer that remembers addresses and slots; what is excluded counts with its slots only."""

    def __init__(self, access_list: AccessList, excluded: frozenset[bytes]) -> None:
        self._excluded = excluded
        self._slots: dict[bytes, set[int]] = {}
        for address, slots in access_list:
            if address not in excluded or slots:
                self._slots.setdefault(address, set()).update(slots)

    def access_list(self) -> AccessList:
        """Return what was touched, in the order of addresses and slots."""
        return tuple(
            (address, tuple(sorted(self._slots[address]))) for address in sorted(self._slots)
        )

    def enter(self, message: Message, opcode: int | None, depth: int) -> None:
        """Note nothing: the opcode that calls has told."""

    def step(self, frame: TracedFrame, opcode: int) -> None:
        """Note what an opcode is about to touch."""
        stack = frame.stack
        if opcode in (SLOAD, SSTORE) and stack:
            self._slots.setdefault(frame.address, set()).add(stack[-1])
        elif opcode in ADDRESS_ON_TOP and stack:
            self._touch(stack[-1])
        elif opcode in ADDRESS_BELOW and len(stack) >= LEAST_WORDS_OF_CALLS:
            self._touch(stack[-2])

    def exit(self, outcome: Outcome, depth: int) -> None:
        """Note nothing: what a failed message touched stays touched in this list."""

    def fault(self, frame: TracedFrame, error: str) -> None:
        """Note nothing."""

    def _touch(self, word: int) -> None:
        address = word.to_bytes(32, "big")[12:]
        if address not in self._excluded:
            self._slots.setdefault(address, set())
