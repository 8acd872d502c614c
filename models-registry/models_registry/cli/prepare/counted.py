"""How a number of things is written for a person: 1 node, 2,048 nodes."""


def counted(count: int, thing: str) -> str:
    """Return the number and the thing, in the plural unless there is one."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
