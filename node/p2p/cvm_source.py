"""What a data directory holds, as cvm/1 serves it."""

from consensus.certificate import CommitCertificate
from cvm.evm.header import BlockHeader
from cvm.faults import DatabaseFault
from node.model_chunks import ModelChunks
from node.rpc.chain_view import ModelChunk
from node.storage.chain_database import ChainDatabase
from node.storage.preimages import Preimages


class DatabaseSource:
    """A `ChainSource` over the database and the model store; any thread may ask."""

    def __init__(self, database: ChainDatabase, chunks: ModelChunks) -> None:
        self._database = database
        self._chunks = chunks
        self._preimages = Preimages(database)

    def head(self) -> BlockHeader:
        """Return the newest final header."""
        header = self._database.header(self._database.head_hash() or b"")
        if header is None:
            raise DatabaseFault("the database has no head")
        return header

    def earliest_height(self) -> int:
        """Return the height from which on every block and its parent's certificate are here."""
        start = self._database.start_height()
        return start + 1 if start else 0

    def block_bytes_at(self, number: int) -> bytes | None:
        """Return the RLP of the block at a height."""
        block_hash = self._database.hash_at(number)
        return None if block_hash is None else self._database.block_bytes(block_hash)

    def header(self, block_hash: bytes) -> BlockHeader | None:
        """Return a header by its hash."""
        return self._database.header(block_hash)

    def certificate_at(self, number: int) -> CommitCertificate | None:
        """Return the certificate of the block at a height."""
        block_hash = self._database.hash_at(number)
        return None if block_hash is None else self._database.certificate(block_hash)

    def code(self, code_hash: bytes) -> bytes | None:
        """Return code by its hash."""
        return self._database.code(code_hash)

    def state_node(self, node_hash: bytes) -> bytes | None:
        """Return a node of a state trie by its hash."""
        return self._database.state(node_hash)

    def preimage(self, key_hash: bytes) -> bytes | None:
        """Return the address or the slot of a hash."""
        return self._preimages.find(key_hash)

    def follow_head(self) -> None:
        """Bring what is served of states to the head."""
        self._preimages.follow()

    def model_chunk(self, model_id: bytes, index: int) -> ModelChunk:
        """Return a chunk; raises `ModelDataMissing` or `BadChunkIndex`."""
        return self._chunks.read(model_id, index)
