"""The files of execution-apis' suite that this node does not follow, each with its reason."""

EXCEPTIONS: dict[str, str] = {}
