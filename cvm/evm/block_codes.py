"""The codes that a block's accounts have: as bytes, ready to run, and where the loop finds them."""

from cvm.evm.contract_code import CodeCache, ContractCode
from cvm.evm.keccak import keccak256
from cvm.evm.live_account import LiveAccount
from cvm.evm.native import layout as at
from cvm.evm.native.machine_memory import MachineMemory
from cvm.evm.state_reader import EMPTY_CODE_HASH, StateReader

CODES = CodeCache()
"""Analysed codes of the process: what it holds follows from the code alone."""

KEPT_BYTES = 64 * 2**20
"""More than this is not kept from one transaction of a block to the next."""


class BlockCodes:
    """What was read, written and analysed; `begin_transaction` lets go of what became much.

    The loop holds addresses of analysed code in frames and account records, so that none can go
    while a transaction runs. Each is analysed once, however often it is called: what a transaction
    holds is bounded by the 2,600 gas that the first call of a code costs, 0.5 GB for 2**24 gas and
    as many codes of 24,576 bytes as that pays for.
    """

    def __init__(self, reader: StateReader, memory: MachineMemory) -> None:
        self._reader = reader
        self._memory = memory
        self._written: dict[bytes, bytes] = {}
        self._read: dict[bytes, bytes] = {}
        self._analysed: dict[bytes, ContractCode] = {}
        self._callable: list[LiveAccount] = []
        self._held_bytes = 0

    def begin_transaction(self) -> None:
        """Let go of the codes of earlier transactions if they take more than `KEPT_BYTES`.

        What the block wrote stays: it cost 200 gas for each byte, and the store needs it.
        """
        if self._held_bytes <= KEPT_BYTES:
            return
        for account in self._callable:
            self.forget_callable(account)
        for held in (self._callable, self._read, self._analysed):
            held.clear()
        self._held_bytes = 0

    def code(self, code_hash: bytes) -> bytes:
        """Return the code with a hash."""
        if code_hash == EMPTY_CODE_HASH:
            return b""
        data = self._written.get(code_hash)
        if data is None:
            data = self._read.get(code_hash)
        if data is None:
            data = self._read[code_hash] = self._reader.code(code_hash)
            self._held_bytes += len(data)
        return data

    def write(self, data: bytes) -> bytes:
        """Take new code and return its hash."""
        code_hash = keccak256(data)
        self._written[code_hash] = data
        return code_hash

    def written(self, hashes: set[bytes]) -> dict[bytes, bytes]:
        """Return those codes among the hashes that the block wrote."""
        return {h: self._written[h] for h in sorted(hashes) if h in self._written}

    def analysed(self, account: LiveAccount) -> ContractCode:
        """Return the code of an account, analysed; it stays in memory while the loop may run it."""
        code = self._analysed.get(account.code_hash)
        if code is None:
            code = CODES.get(account.code_hash, self.code(account.code_hash))
            self._analysed[account.code_hash] = code
            self._held_bytes += 2 * code.size
        return code

    def make_callable(self, account: LiveAccount) -> ContractCode:
        """Let the loop enter an account's code by itself; it must be no delegation."""
        code = self.analysed(account)
        base = account.number * at.ACCOUNT_FIELDS
        records = self._memory.accounts
        if records[base + at.CODE_AT] != code.address:
            self._callable.append(account)
            records[base + at.CODE_AT] = code.address
            records[base + at.CODE_SIZE_AT] = code.size
            records[base + at.JUMPS_AT] = code.jumps_address
        return code

    def forget_callable(self, account: LiveAccount) -> None:
        """Leave the next call of an account to the host."""
        self._memory.accounts[account.number * at.ACCOUNT_FIELDS + at.CODE_AT] = 0
