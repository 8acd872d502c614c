"""What can be wrong with a model file or with an input, grouped by what the catcher does.

* InvalidModel   - the file is refused, whoever reads it; it carries the rule and the value
* InferenceFault - the call fails in the same way on every machine (an opcode returns ok = 0)
  - BadInputSize
  - InputOutOfRange
    - BadBoolByte
"""


class InvalidModel(Exception):
    """The file breaks a rule of EXACT engine 1; `rule` names it, the message holds the value."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail


class InferenceFault(Exception):
    """The input does not fit the model; every honest machine finds the same."""


class BadInputSize(InferenceFault):
    """The input is not a whole number of items, or too many of them."""

    def __init__(self, size_bytes: int, item_bytes: int, max_batch: int) -> None:
        super().__init__(
            f"input of {size_bytes} bytes; the model takes 1 to {max_batch} items "
            f"of exactly {item_bytes} bytes"
        )
        self.size_bytes = size_bytes
        self.item_bytes = item_bytes
        self.max_batch = max_batch


class InputOutOfRange(InferenceFault):
    """A run-time index lies outside the axis that it indexes."""

    def __init__(self, node: str, index: int, size: int) -> None:
        super().__init__(f"node {node!r}: index {index} outside [-{size}, {size - 1}]")
        self.node = node
        self.index = index
        self.size = size


class BadBoolByte(InputOutOfRange):
    """An element of a bool input is a byte other than 0 or 1."""

    def __init__(self, input_name: str, byte: int) -> None:
        InferenceFault.__init__(self, f"bool input {input_name!r} holds a byte {byte}, not 0 or 1")
        self.node = input_name
        self.index = byte
        self.size = 2
