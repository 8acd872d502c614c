"""Who asks for the work under way: what executes for many is fair between them by it."""

from contextvars import ContextVar

ASKER: ContextVar[str] = ContextVar("asker", default="")
"""An address, or one connection from this machine; "" where nobody in particular asks."""
