"""A small capability for tests: asks, answers, and tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from cvm.faults import LocalFault
from node.p2p.faults import BadMessage
from node.p2p.protocol import Capability, Channel, Message, Rate

MAX_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Tell:
    CODE: ClassVar[int] = 0
    MAX_LENGTH: ClassVar[int] = MAX_TEXT
    text: bytes

    def encode(self) -> bytes:
        return self.text

    @classmethod
    def decode(cls, data: bytes) -> Self:
        if data == b"bad":
            raise BadMessage("bad text")
        if data == b"fault":
            raise ZeroDivisionError("unforeseen")
        return cls(data)


@dataclass(frozen=True, slots=True)
class Ask:
    CODE: ClassVar[int] = 1
    MAX_LENGTH: ClassVar[int] = 8
    request_id: int

    def encode(self) -> bytes:
        return self.request_id.to_bytes(8, "big")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        return cls(int.from_bytes(data, "big"))


@dataclass(frozen=True, slots=True)
class Answer:
    CODE: ClassVar[int] = 2
    MAX_LENGTH: ClassVar[int] = 8
    request_id: int

    def encode(self) -> bytes:
        return self.request_id.to_bytes(8, "big")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        return cls(int.from_bytes(data, "big"))


class Echo:
    """Answers what is asked unless it is `mute`, and keeps what it is told."""

    messages: Mapping[int, type[Message]] = {0: Tell, 1: Ask, 2: Answer}
    replies: frozenset[type[Message]] = frozenset({Answer})

    def __init__(self, *, mute: bool = False, rate: Rate | None = None, version: int = 1) -> None:
        self.capability = Capability("echo", version, 3)
        self.rates: Mapping[type[Message], Rate] = {Tell: rate} if rate else {}
        self.told: list[bytes] = []
        self.channels: list[Channel] = []
        self._mute = mute

    async def run(self, channel: Channel) -> None:
        self.channels.append(channel)
        while True:
            message = await channel.receive()
            if isinstance(message, Tell):
                if message.text == b"disk":
                    raise LocalFault("the disk is gone")
                self.told.append(message.text)
            elif isinstance(message, Ask) and not self._mute:
                await channel.send(Answer(message.request_id))
