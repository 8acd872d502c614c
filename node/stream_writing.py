"""Writing to a connection that may be gone, alike on the loops of asyncio and uvloop.

Once a connection was reset, asyncio drops what is written to it, and uvloop raises a RuntimeError.
"""

import asyncio


def put(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send some bytes; raises `ConnectionResetError` where the connection is closed."""
    if writer.transport.is_closing():
        raise ConnectionResetError("the connection is closed")
    writer.write(data)


def put_eof(writer: asyncio.StreamWriter) -> None:
    """Say that nothing more comes, where the connection can say it and is not closed."""
    if not writer.transport.is_closing() and writer.can_write_eof():
        writer.write_eof()
