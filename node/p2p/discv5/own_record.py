"""The record of this node: signed again, with a higher number, whenever what it says changes."""

from cvm.evm.rlp_encoding import encode_bytes, encode_integer
from node.p2p.discv5.endpoint import IPV4_BYTES, Endpoint
from node.p2p.discv5.enr import NodeRecord, sign_record


class OwnRecord:
    """What this node says of itself now.

    `first_seq` must be above every number that this key has signed before; `chain_entries` are
    RLP values by key that never change while the process runs.
    """

    def __init__(self, key: bytes, first_seq: int, chain_entries: dict[bytes, bytes]) -> None:
        self._key = key
        self._chain_entries = chain_entries
        self.record: NodeRecord = sign_record(key, first_seq, chain_entries)

    def announce(self, udp: Endpoint, tcp_port: int) -> None:
        """Say where discovery and RLPx reach this node; `tcp_port` 0 says that RLPx does not."""
        address = udp.packed_ip()
        suffix = b"" if len(address) == IPV4_BYTES else b"6"
        entries = {
            b"ip" + suffix: encode_bytes(address),
            b"udp" + suffix: encode_integer(udp.port),
        }
        if tcp_port:
            entries[b"tcp" + suffix] = encode_integer(tcp_port)
        self.record = sign_record(
            self._key, self.record.seq + 1, {**self._chain_entries, **entries}
        )
