"""Carries out what consensus wants: fsync, send, build, check, write, wait.

`consensus.qbft` decides; this file has no rule of it. Events go through one queue to one task, so
a step never meets another.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace

import structlog

from consensus.block import Block, decode_block
from consensus.block_execution import CheckedBlock, LeftOut, Proposal
from consensus.certificate import CommitCertificate
from consensus.faults import InvalidBlock
from consensus.header_rules import next_base_fee
from consensus.qbft.events import (
    Action,
    Ahead,
    Behind,
    BlockBuilt,
    BlockChecked,
    BuildBlock,
    CheckBlock,
    Decide,
    Event,
    HeightContext,
    Persist,
    Received,
    Refused,
    Relay,
    Report,
    Send,
    SetTimer,
    Started,
    TimerFired,
)
from consensus.qbft.messages import Message
from consensus.qbft.rules import Rules
from consensus.qbft.step import State, step
from cvm.evm.faults import (
    BlockGasExceeded,
    FeeCapTooLow,
    InvalidTransaction,
    NonceTooHigh,
    NonceTooLow,
)
from cvm.faults import ModelDataMissing
from node.block_writer import BlockWriter
from node.chain import Chain
from node.clock import now_ms
from node.consensus_gossip import Gossip
from node.event_queue import EventQueue, HeadMoved
from node.pool.limits import pool_head
from node.quorum_disagrees import QuorumDisagrees, blame_bringer
from node.round_timers import RoundTimers
from node.transaction_pool import TransactionPool
from node.vote_log import VoteLog

log = structlog.get_logger(__name__)
STAYS_IN_POOL = (BlockGasExceeded, FeeCapTooLow, NonceTooHigh, NonceTooLow)
"""Faults that another block may not have; a used nonce is forgotten without what follows it."""


class ConsensusDriver:
    """Takes part in consensus where `rules` has a signer, and follows it otherwise.

    `work` is set when a model arrives.
    """

    def __init__(
        self,
        chain: Chain,
        writer: BlockWriter,
        pool: TransactionPool,
        rules: Rules,
        votes: VoteLog,
        gossip: Gossip,
        work: asyncio.Event,
    ) -> None:
        self._chain = chain
        self._writer = writer
        self._pool = pool
        self._rules = rules
        self._votes = votes
        self._gossip = gossip
        self._work = work
        self._events = EventQueue()
        self._state: State | None = None
        self._height = 0
        self._checked: dict[bytes, CheckedBlock] = {}
        self._timers = RoundTimers(lambda timer: self._events.put(TimerFired(now_ms(), timer)))
        self._tasks = asyncio.TaskGroup()
        self._checks: dict[bytes, asyncio.Task[None]] = {}
        self._comparing: asyncio.Task[None] | None = None
        writer.on_head(lambda checked, _certificate: self._head_moved(checked))

    @property
    def round(self) -> int:
        """Return the round of the height under way."""
        return 0 if self._state is None else self._state.round

    def receive(
        self, message: Message, parent_certificate: CommitCertificate | None, sender: bytes
    ) -> None:
        """Take a message from the peer `sender`; dropped where too much of it waits."""
        self._events.offer(Received(now_ms(), message, parent_certificate, sender))

    async def take_final(
        self,
        block: Block,
        certificate: CommitCertificate,
        parent_certificate: CommitCertificate | None,
    ) -> bool:
        """Append the next block, which others made final; tell whether it was news.

        What was executed for a vote is not executed again. Raises an `InvalidBlock` for a fault of
        whoever brought it, and `QuorumDisagrees` where a quorum sealed what is wrong here.
        """
        checked = await self._checked_block(block.hash)
        try:
            if checked is None:
                appended = await self._writer.import_block(block, certificate, parent_certificate)
                return appended is not None
            await self._writer.append(checked, certificate, parent_certificate)
        except InvalidBlock as fault:
            blame_bringer(self._chain, block, certificate, parent_certificate, fault)
            raise
        return True

    async def run(self) -> None:
        """Take part until cancelled; raises a `LocalFault` when this machine fails."""
        try:
            async with self._tasks:
                self._begin_height()
                while True:
                    event = await self._events.get()
                    if isinstance(event, HeadMoved):
                        self._begin_height()
                    else:
                        await self._take(event)
        finally:
            self._height = 0
            self._timers.drop()

    def _begin_height(self) -> None:
        """Start the height after the head, unless it is under way."""
        head = self._chain.head
        if self._height == head.block_number + 1:
            return
        self._height = head.block_number + 1
        self._checked.clear()
        self._checks.clear()
        self._timers.drop()
        context = HeightContext(
            height=self._height,
            validators=self._chain.validators_at(self._height),
            last_proposer=head.coinbase,
            due_ms=(head.timestamp + self._chain.parameters.period_s) * 1_000,
        )
        self._start(context)

    def _head_moved(self, checked: CheckedBlock) -> None:
        """Forget what the block included."""
        head = self._chain.head
        with self._chain.state_at(head) as state:
            self._pool.settle(state, pool_head(head), checked.executed.changes.accounts)
        self._events.put(HeadMoved())
        if checked.block.number == self._height:
            self._log_block(checked)

    def _log_block(self, checked: CheckedBlock) -> None:
        """Say what became final: `after_ms` since it was due, executed here in `executed_ms`."""
        block = checked.block
        state, signer = self._state, self._rules.signer
        log.info(
            "block",
            number=block.number,
            hash=f"0x{block.hash.hex()}",
            transactions=len(block.transactions),
            gas=checked.executed.gas_used,
            inferences=len(checked.inferences),
            round=self.round,
            proposed=signer is not None and signer.address == block.header.coinbase,
            executed_ms=self._writer.execution_ms(block.hash),
            after_ms=0 if state is None else now_ms() - state.context.due_ms,
        )

    def _start(self, context: HeightContext) -> None:
        self._events.put(Started(now_ms(), context, self._votes.records(context.height)))

    async def _take(self, event: Event) -> None:
        """Make one step and carry out what it asks for."""
        if isinstance(event, Started) and event.context.height != self._height:
            return
        if self._chain.host.quarantined and self._rules.signer is not None:
            log.error("votes withheld until a restart", backend=self._chain.host.quarantined)
            self._rules = replace(self._rules, signer=None)
        self._state, actions = step(self._rules, self._state, event)
        await self._carry_out(actions)

    async def _carry_out(self, actions: Sequence[Action]) -> None:
        """Do what a step asks for: all that it signed is on disk, at once, before any goes out.

        What needs no disk is done while the disk works.
        """
        records = [action.record for action in actions if isinstance(action, Persist)]
        saved: asyncio.Future[None] | None = None
        if records:
            loop = asyncio.get_running_loop()
            saved = loop.run_in_executor(None, self._votes.save, self._height, records)
        for action in actions:
            self._begin(action)
        if saved is not None:
            await saved
        for action in actions:
            match action:
                case Send():
                    self._gossip.send(action.message, action.parent_certificate)
                case Decide():
                    await self._finish(action)

    def _begin(self, action: Action) -> None:
        """Begin what waits for no disk."""
        match action:
            case BuildBlock():
                self._spawn(self._build(action))
            case CheckBlock():
                self._checks[action.digest] = self._spawn(self._check(action))
            case SetTimer():
                self._timers.set(action.timer, action.at_ms - now_ms())
            case _:
                self._tell(action)

    def _tell(self, action: Action) -> None:
        match action:
            case Relay():
                self._gossip.relay(action.message, action.parent_certificate, action.sender)
            case Ahead():
                self._gossip.send_block(action.height, action.sender)
            case Behind():
                self._gossip.catch_up(action.height, action.sender)
            case Report():
                self._gossip.report(action.evidence)
            case Refused(is_fault=True):
                self._gossip.blame(action.sender, action.reason)

    async def _build(self, action: BuildBlock) -> None:
        signer = self._rules.signer
        if signer is None:
            return
        candidates = list(self._pool.best_first(next_base_fee(self._chain.head)))
        proposal = Proposal(signer.address, now_ms() // 1_000)
        # Before: a block that becomes final meanwhile may bring another one.
        parent_certificate = self._chain.certificate_at(action.height - 1)
        checked, left_out = await self._writer.build(proposal, candidates)
        self._drop_invalid(left_out)
        if checked.block.number != action.height or self._height != action.height:
            return
        self._checked[checked.block.hash] = checked
        place, encoded = (action.height, action.round), checked.block.encode()
        self._events.put(BlockBuilt(now_ms(), *place, encoded, parent_certificate))

    def _drop_invalid(self, left_out: LeftOut) -> None:
        for tx, fault in left_out:
            if isinstance(fault, InvalidTransaction) and not isinstance(fault, STAYS_IN_POOL):
                self._pool.drop(tx)
                log.info("transaction dropped", tx=f"0x{tx.hash.hex()}", reason=str(fault))

    async def _check(self, action: CheckBlock) -> None:
        valid: bool | None = True
        if action.digest not in self._checked:
            valid = await self._verdict(action)
        if self._height == action.height:
            self._events.put(BlockChecked(now_ms(), action.height, action.digest, valid))

    async def _verdict(self, action: CheckBlock) -> bool | None:
        """Execute a proposed block; None where this node cannot judge it."""
        try:
            block = decode_block(action.block)
            self._pool.lend_senders(block.transactions)
            checked = await self._writer.check(block, action.parent_certificate)
        except InvalidBlock as error:
            if self._chain.head.block_number >= action.height:
                return None  # it became final while it waited to be checked
            log.warning("proposal refused", height=action.height, reason=str(error))
            self._begin_comparing(action.height, error)
            return False
        except ModelDataMissing as fault:
            log.warning("not ready", reason=str(fault))
            return None
        if self._height == action.height:
            self._checked[action.digest] = checked
        return True

    def _begin_comparing(self, height: int, error: InvalidBlock) -> None:
        """Look whether this node's backend is why a proposal was refused: one at a time."""
        if error.inferences and (self._comparing is None or self._comparing.done()):
            self._comparing = self._spawn(self._compare(height, error))

    async def _compare(self, height: int, error: InvalidBlock) -> None:
        """Run the definition beside all else, for anybody may propose; a final block ends it."""
        try:
            await asyncio.to_thread(
                self._chain.find_own_fault, error, lambda: self._height != height
            )
        except ModelDataMissing as fault:
            log.warning("not compared", reason=str(fault))

    async def _finish(self, decided: Decide) -> None:
        """Write the final block; raises `QuorumDisagrees` where it is wrong here."""
        checked = await self._checked_block(decided.certificate.header_hash)
        try:
            if checked is not None:
                await self._writer.append(checked, decided.certificate, decided.parent_certificate)
            else:
                await self._import(decided)
        except InvalidBlock as error:
            raise QuorumDisagrees(decided.height, str(error)) from error

    async def _checked_block(self, digest: bytes) -> CheckedBlock | None:
        """Return what executing a block gave, waiting where that is under way."""
        check = self._checks.get(digest)
        if check is not None:
            await asyncio.shield(check)
        return self._checked.get(digest)

    async def _import(self, decided: Decide) -> None:
        """Check and write a final block as soon as its models are here."""
        block = decode_block(decided.block)
        while True:
            self._work.clear()  # before: a model may arrive while the block is refused
            try:
                await self._writer.import_block(
                    block, decided.certificate, decided.parent_certificate
                )
            except ModelDataMissing as fault:
                log.warning("not ready", height=decided.height, reason=str(fault))
                await self._work.wait()
            else:
                return

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        return self._tasks.create_task(work)
