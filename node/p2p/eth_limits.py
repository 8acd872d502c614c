"""The bounds of the eth protocol: what a message may hold, and what an answer holds at most.

Source: the "eth" specification of ethereum/devp2p, and go-ethereum's eth/protocols/eth.
"""

MAX_MESSAGE_BYTES = 10 << 20
"""The longest payload that go-ethereum takes (maxMessageSize)."""

MAX_SMALL_MESSAGE_BYTES = 1 << 10
"""For messages of a few numbers and hashes."""

MAX_REQUEST_BYTES = 1 << 18
"""For requests by hash: more than `MAX_HASHES` hashes take."""

MAX_HEADERS = 1_024
"""Headers, or blocks' bodies or receipts, that one answer holds (maxHeadersServe and its kin)."""

SOFT_RESPONSE_BYTES = 2 << 20
"""An answer gets no more items once it has so many bytes (softResponseLimit)."""

MAX_HASHES = 4_096
"""Hashes that one request or announcement may hold."""

MAX_POOLED_HASHES = 256
"""Transactions that one of our requests asks for (maxTxRetrievals)."""

SMALLEST_TRANSACTION_BYTES = 80
"""A signature alone takes 64."""

MAX_TRANSACTIONS = MAX_MESSAGE_BYTES // SMALLEST_TRANSACTION_BYTES

MAX_TRANSACTION_PACKET_BYTES = 100 << 10
"""What we put into one message of transactions (maxTxPacketSize)."""

MAX_SENT_TRANSACTION_BYTES = 4 << 10
"""A larger transaction is only announced (txMaxBroadcastSize)."""
