"""The bounds of engine 1 on a model file and on a call; those of a chain are consensus."""

from dataclasses import dataclass

MAX_FIELDS = 2**17
"""Protobuf fields in one file; it bounds what reading a hostile file costs in time and memory."""
MAX_RUN_NUMBERS = 2**22
"""Numbers in long runs of one repeated field (lists of attributes) in one file; they count as no
fields. A text in such a run counts as `TEXT_WEIGHT` numbers."""
TEXT_WEIGHT = 4
MAX_LISTED_ATTRIBUTE = 2**16
"""Numbers in a list of an attribute that holds no weights."""
MAX_LISTED_INTEGER_BYTES = 2**20
"""Bytes of `int32_data` and `int64_data` in one file; larger tensors are stored as `raw_data`."""
MAX_NODES = 2_048
MAX_OPERANDS = 2**14
"""Graph inputs, and inputs and outputs of all nodes, each as often as it stands in the file; it
bounds what planning costs beside the nodes themselves."""
MAX_RANK = 6
MAX_DIM = 2**20
MAX_ELEMENTS = 2**26
"""Elements of one tensor on a chain; see `SizeLimits.elements`."""
MAX_BATCH = 4_096
"""Items of one inference (PROTOCOL section 2)."""


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """How large a model may be.

    `elements` bounds every tensor. `macs` counts multiply-accumulates of one item, both kinds
    together; `peak_bytes` weights and live activations of one item; `constant_reads` the
    elements of constants that nodes read, once per reader, which bounds what checking them
    costs.
    """

    file_bytes: int
    elements: int
    macs: int
    peak_bytes: int
    constant_reads: int


CHAIN_LIMITS = SizeLimits(
    file_bytes=64 * 2**20,
    elements=MAX_ELEMENTS,
    macs=2**33,
    peak_bytes=512 * 2**20,
    constant_reads=2**27,
)
"""EXACT section 4: what validators take."""

OFF_CHAIN_LIMITS = SizeLimits(
    file_bytes=2**31 - 1, elements=2**28, macs=2**40, peak_bytes=2**33, constant_reads=2**31
)
"""For running a file on one's own machine, where nobody else has to re-run it."""
