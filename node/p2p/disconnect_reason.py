"""Why a session ends, as devp2p's Disconnect message says it."""

from enum import IntEnum, unique


@unique
class DisconnectReason(IntEnum):
    """The reasons of the RLPx specification, "p2p" capability, Disconnect (0x01)."""

    REQUESTED = 0x00
    NETWORK_ERROR = 0x01
    BREACH_OF_PROTOCOL = 0x02
    USELESS_PEER = 0x03
    TOO_MANY_PEERS = 0x04
    ALREADY_CONNECTED = 0x05
    INCOMPATIBLE_VERSION = 0x06
    NULL_NODE_IDENTITY = 0x07
    CLIENT_QUITTING = 0x08
    UNEXPECTED_IDENTITY = 0x09
    CONNECTED_TO_SELF = 0x0A
    TIMED_OUT = 0x0B
    SUBPROTOCOL_ERROR = 0x10
