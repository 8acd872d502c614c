"""What an interpreted kernel can do wrong; one class per broken rule."""


class PtxFault(Exception):
    """A kernel did what would be undefined, or differ between runs, on a GPU."""

    def __init__(self, kernel: str, reason: str) -> None:
        super().__init__(f"{kernel}: {reason}")


class OutOfBounds(PtxFault):
    """An access outside the memory that the launch was given."""


class Misaligned(PtxFault):
    """An access to an address that is no multiple of its size."""


class Uninitialised(PtxFault):
    """A load of bytes that nothing has written."""


class WroteConstant(PtxFault):
    """A store into memory that the kernels only read."""


class Race(PtxFault):
    """Two threads, one of them storing, met at an address with nothing that orders them."""


class MissedBarrier(PtxFault):
    """Threads of a block wait at different barriers, or end while others wait."""


class OutputNotWritten(PtxFault):
    """The kernels of a node left bytes of its output as they were."""
