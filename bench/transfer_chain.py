"""A chain of transfers for timing: blocks are made in one database and imported into another."""

import json
import time
from functools import cache
from pathlib import Path
from random import Random

from consensus.block import Block, decode_block
from consensus.block_execution import BlockRunner, CheckedBlock, Parent, Proposal
from consensus.fork_schedule import Machines
from consensus.genesis import parse_genesis
from consensus.new_genesis import new_genesis
from consensus.parameters import ChainParameters
from cvm.evm.keccak import keccak256
from cvm.evm.signatures import address_of_key
from cvm.evm.transaction import Transaction
from cvm.evm.transaction_signing import UnsignedTransaction
from node.chain import init_chain
from node.chain_states import ChainStates
from node.sender_recovery import SenderRecovery
from node.storage.chain_database import ChainDatabase, FinalBlock

TOKEN = b"\x70" * 20
TOKEN_CODE = bytes.fromhex((Path(__file__).parent / "contracts" / "token.hex").read_text().strip())
CHAIN_ID = 1_337
SENDERS, BLOCKS = 200, 8
PER_BLOCK = {"plain": 1_500, "erc20": 600}
GAS = {"plain": 21_000, "erc20": 60_000}
TIP, FEE_CAP = 10**9, 10**11
WEALTH = 10**24
SEED = 4


class NoInference:
    """A host for blocks that run no model."""

    def run(self, model_id: bytes, data: bytes) -> bytes:
        raise LookupError(f"model {model_id.hex()} with {len(data)} bytes")


class TransferChain:
    """Blocks of transfers on a state of so many accounts, and a database that imports them."""

    def __init__(self, folder: Path, kind: str, accounts: int) -> None:
        self._kind = kind
        self._random = Random(SEED)
        self._keys = [self._random.randbytes(32) for _ in range(SENDERS)]
        self._parameters = ChainParameters(CHAIN_ID, block_gas_limit=1 << 27)
        self._proposer = address_of_key(self._keys[0])
        genesis = self._genesis(accounts)
        self._made = ChainDatabase(folder / "made")
        self._tip = init_chain(self._made, genesis)
        self._imported = ChainDatabase(folder / "imported")
        self._header = init_chain(self._imported, genesis)
        self.imported = 0
        self._recovery = SenderRecovery(1)
        self._maker = self._runner(self._made)
        self._importer = self._runner(self._imported)

    def close(self) -> None:
        """Close the databases."""
        self._recovery.close()
        self._imported.close()
        self._made.close()

    def _runner(self, database: ChainDatabase) -> BlockRunner:
        return BlockRunner(self._parameters, Machines(NoInference()), ChainStates(database))

    def _genesis(self, accounts: int) -> bytes:
        """Return a genesis file with the senders, the token and other accounts."""
        others = [self._random.randbytes(20) for _ in range(accounts - SENDERS)]
        senders = [address_of_key(key) for key in self._keys]
        balances = dict.fromkeys(senders, WEALTH) | dict.fromkeys(others, 1)
        self._targets = others or senders
        document = new_genesis(self._parameters, [self._proposer], balances, 1)
        storage = {_hex(balance_slot(sender)): hex(10**18) for sender in senders}
        document["alloc"][f"0x{TOKEN.hex()}"] = {
            "balance": "0x0",
            "code": "0x" + TOKEN_CODE.hex(),
            "storage": storage,
        }
        parse_genesis(document)
        return json.dumps(document).encode()

    def make_block(self) -> bytes:
        """Build and store the next block; return its bytes."""
        parent = Parent(self._tip, bytes(32), lambda _number: bytes(32))
        transactions = self._transactions(self._tip.block_number)
        checked, left_out = self._maker.build(parent, Proposal(self._proposer, 0), transactions)
        if left_out:
            raise RuntimeError(f"a transfer was left out: {left_out[0][1]}")
        store(self._made, checked)
        self._tip = checked.block.header
        return checked.block.encode()

    def _transactions(self, block: int) -> list[Transaction]:
        count = PER_BLOCK[self._kind]
        first = block * count
        return [self._transfer(number) for number in range(first, first + count)]

    def _transfer(self, number: int) -> Transaction:
        target = self._targets[self._random.randrange(min(len(self._targets), 5_000))]
        plain = self._kind == "plain"
        return UnsignedTransaction(
            type_id=2,
            chain_id=CHAIN_ID,
            nonce=number // SENDERS,
            max_priority_fee_per_gas=TIP,
            max_fee_per_gas=FEE_CAP,
            gas=GAS[self._kind],
            to=target if plain else TOKEN,
            value=int(plain),
            data=b"" if plain else transfer_call(target, 1),
        ).sign(self._keys[number % SENDERS])

    def import_block(self, raw: bytes) -> int:
        """Decode, check, store and sync the next block; return how many transfers it has."""
        block = decode_block(raw)
        self._recovery.recover(block.transactions)
        return self._append(block)

    def _append(self, block: Block) -> int:
        """Check, store and sync the next block, whose senders are known."""
        parent = Parent(self._header, bytes(32), lambda _number: bytes(32))
        store(self._imported, self._importer.check(block, parent))
        self._header = block.header
        self.imported += len(block.transactions)
        return len(block.transactions)

    def import_beside(self, raws: list[bytes]) -> float:
        """Import blocks, recovering the next one's senders meanwhile; return the least seconds."""
        began, least = time.perf_counter(), float("inf")
        block = decode_block(raws[0])
        pending = self._recovery.start(block.transactions)
        for raw in raws[1:]:
            next_block = decode_block(raw)
            pending.finish()
            pending = self._recovery.start(next_block.transactions)
            self._append(block)
            block, now = next_block, time.perf_counter()
            least, began = min(least, now - began), now
        pending.finish()
        self._append(block)
        return least

    def measure(self) -> dict[str, float]:
        """Import some blocks and return transactions a second, of wall and of processor time.

        "beside" is with a second thread, which recovers senders while this one executes.
        """
        count, wall, processor = 0, [], []
        for raw in [self.make_block() for _ in range(BLOCKS)]:
            began, used = time.perf_counter(), time.process_time()
            count = self.import_block(raw)
            wall.append(time.perf_counter() - began)
            processor.append(time.process_time() - used)
        beside = self.import_beside([self.make_block() for _ in range(BLOCKS)])
        return {
            "tx/s": round(count / min(wall)),
            "tx/s of processor time": round(count / min(processor)),
            "us/tx": round(min(wall) / count * 1e6, 1),
            "tx/s beside": round(count / beside),
        }


def store(database: ChainDatabase, checked: CheckedBlock) -> None:
    """Write and sync a block."""
    database.write_block(FinalBlock(checked.block, checked.executed.receipts, None, checked.update))


@cache
def balance_slot(owner: bytes) -> int:
    """Return the slot of `balanceOf[owner]`, the first variable of the token."""
    return int.from_bytes(keccak256(owner.rjust(32, b"\0") + bytes(32)), "big")


def transfer_call(to: bytes, value: int) -> bytes:
    """Return the calldata of ERC-20's transfer."""
    return (
        keccak256(b"transfer(address,uint256)")[:4]
        + to.rjust(32, b"\0")
        + value.to_bytes(32, "big")
    )


def _hex(slot: int) -> str:
    return f"0x{slot:064x}"
