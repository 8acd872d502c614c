"""Logs as eth_simulateV1 shows them: those of contracts, and one for every transfer of ether.

A transfer looks like that of an ERC-20 token at 0xeeee...eeee, as geth writes it.
"""

from cvm.evm.calls import DELEGATECALL
from cvm.evm.keccak import keccak256
from cvm.evm.log import Log
from cvm.evm.messages import Message, Outcome
from cvm.evm.native_interpreter import SELFDESTRUCT
from cvm.evm.tracer import TracedFrame

TRANSFER_ADDRESS = b"\xee" * 20
TRANSFER_TOPIC = keccak256(b"Transfer(address,address,uint256)")
LOG0, LOG4 = 0xA0, 0xA4


class TransferLogs:
    """A tracer that collects the logs of one transaction; those of failed messages go.

    Each has its place in the block, from `count` on. What goes leaves its place empty, as in geth.
    """

    def __init__(self, count: int = 0) -> None:
        self._open: list[list[tuple[int, Log]]] = []
        self.count = count
        self.logs: tuple[tuple[int, Log], ...] = ()

    def enter(self, message: Message, opcode: int | None, depth: int) -> None:  # noqa: ARG002
        """Begin a message, with the transfer that it brings."""
        self._open.append([])
        if message.value and opcode != DELEGATECALL:
            target = message.target if message.transfers else message.code_address
            self._transfer(message.caller, target, message.value)

    def step(self, frame: TracedFrame, opcode: int) -> None:
        """Note what a LOG or a SELFDESTRUCT does; where it fails, its message fails with it."""
        if LOG0 <= opcode <= LOG4 and len(frame.stack) >= 2 + opcode - LOG0:
            self._add(log_of(frame, opcode - LOG0))
        elif opcode == SELFDESTRUCT and frame.stack:
            balance = frame.world.account(frame.address).balance
            if balance:
                heir = frame.stack[-1].to_bytes(32, "big")[12:]
                self._transfer(frame.address, heir, balance)

    def exit(self, outcome: Outcome, depth: int) -> None:  # noqa: ARG002
        """End a message; the logs of one that succeeded are its caller's."""
        logs = self._open.pop()
        if not outcome.is_success:
            return
        if self._open:
            self._open[-1].extend(logs)
        else:
            self.logs = tuple(logs)

    def fault(self, frame: TracedFrame, error: str) -> None:
        """Note nothing: the end of the message tells."""

    def _transfer(self, sender: bytes, receiver: bytes, wei: int) -> None:
        topics = (TRANSFER_TOPIC, bytes(12) + sender, bytes(12) + receiver)
        self._add(Log(TRANSFER_ADDRESS, topics, wei.to_bytes(32, "big")))

    def _add(self, log: Log) -> None:
        self._open[-1].append((self.count, log))
        self.count += 1


def log_of(frame: TracedFrame, topic_count: int) -> Log:
    """Return the log that the opcode about to run makes, if it has the gas."""
    offset, size, *topics = frame.stack[: -3 - topic_count : -1]
    written = bytes(frame.memory[offset : offset + size]) if size <= len(frame.memory) else b""
    words = tuple([topic.to_bytes(32, "big") for topic in topics])
    return Log(frame.address, words, data_of(written, size, frame.gas))


def data_of(written: bytes, size: int, gas: int) -> bytes:
    """Return the bytes of a log, with zeros where memory ends.

    A byte costs 8 gas (Yellow Paper, G_logdata): a log that is over its gas comes to nothing.
    """
    return b"" if 8 * size > gas else written.ljust(size, b"\0")
