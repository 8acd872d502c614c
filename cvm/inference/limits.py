"""The bounds of engine 1 on a model file and on a call; all of them are consensus."""

MAX_FILE_BYTES = 64 * 2**20
MAX_FIELDS = 2**17
"""Protobuf fields in one file; it bounds what reading a hostile file costs in time and memory."""
MAX_LISTED_INTEGER_BYTES = 2**20
"""Bytes of `int32_data` and `int64_data` in one file; larger tensors are stored as `raw_data`."""
MAX_NODES = 2_048
MAX_RANK = 6
MAX_DIM = 2**20
MAX_ELEMENTS = 2**26
MAX_MACS = 2**33
"""Multiply-accumulates of one item, both kinds together."""
MAX_PEAK_BYTES = 512 * 2**20
"""Weights and live activations of one item."""
MAX_CONSTANT_READS = 2**27
"""Elements of constants that nodes read, once per reader; it bounds what checking them costs."""
MAX_BATCH = 4_096
