"""Logs and receipts as JSON text, written in slices: a block may hold 80,000 logs."""

from collections.abc import Sequence

from cvm.evm.receipt import Receipt
from node.rpc.chain_view import BlockView
from node.rpc.encoding import log_object, receipt_fields
from node.rpc.json_value import JsonText, to_text
from node.rpc.log_filter import LogFilter, Masks, may_contain
from node.rpc.turns import Slices


def list_text(texts: Sequence[str]) -> JsonText:
    """Return a JSON array of what is written already."""
    return JsonText(f"[{','.join(texts)}]")


async def log_texts(
    block: BlockView,
    receipts: Sequence[Receipt],
    wanted: LogFilter,
    masks: Masks,
    slices: Slices,
    most: int | None = None,
) -> list[str]:
    """Return the logs of a block that a filter lets through, at most so many, in order.

    `masks` are those of the filter.
    """
    texts: list[str] = []
    log_index = 0
    for tx_index, (tx, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
        await slices.pause()
        if not may_contain(receipt.bloom, masks):
            log_index += len(receipt.logs)
            continue
        for log in receipt.logs:
            await slices.pause()
            if wanted.matches(log):
                shown = log_object(log, block.header, tx.hash, tx_index, log_index)
                texts.append(to_text(shown))
                if len(texts) == most:
                    return texts
            log_index += 1
    return texts


async def receipt_text(
    block: BlockView, receipts: Sequence[Receipt], index: int, slices: Slices
) -> JsonText:
    """Return one receipt of a block, given all of them."""
    first_log = 0
    for receipt in receipts[:index]:
        await slices.pause()
        first_log += len(receipt.logs)
    return JsonText(await _receipt_text(block, receipts, index, first_log, slices))


async def block_receipts_text(
    block: BlockView, receipts: Sequence[Receipt], slices: Slices
) -> JsonText:
    """Return the receipts of a block, in order."""
    texts: list[str] = []
    first_log = 0
    for index, receipt in enumerate(receipts):
        await slices.pause()
        texts.append(await _receipt_text(block, receipts, index, first_log, slices))
        first_log += len(receipt.logs)
    return list_text(texts)


async def _receipt_text(
    block: BlockView, receipts: Sequence[Receipt], index: int, first_log: int, slices: Slices
) -> str:
    header, tx_hash = block.header, block.transactions[index].hash
    logs: list[str] = []
    for log_index, log in enumerate(receipts[index].logs, first_log):
        await slices.pause()
        logs.append(to_text(log_object(log, header, tx_hash, index, log_index)))
    fields = to_text(receipt_fields(block, receipts, index))
    return f'{fields[:-1]},"logs":[{",".join(logs)}]}}'
