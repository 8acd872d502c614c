"""What a development chain does not do, in the words that anvil has for it."""

from node.rpc.faults import InvalidParams, ServerError


class TimestampTooLow(InvalidParams):
    """A block cannot have this time: its parent has it, or a later one."""

    def __init__(self, timestamp: int, head_timestamp: int) -> None:
        relation = "lower than" if timestamp < head_timestamp else "equal to"
        super().__init__(f"Timestamp error: {timestamp} is {relation} previous block's timestamp")


class NoForkingHere(InvalidParams):
    """A chain cannot be continued from an address."""

    def __init__(self) -> None:
        super().__init__(
            "forking from an address is not supported: start `cvm dev --fork FILE` with a state"
        )


class NotADevelopmentChain(ServerError):
    """The method changes a development chain, and this node has none."""

    def __init__(self) -> None:
        super().__init__("this node runs no development chain")
