"""Label values that somebody outside chooses: only so many of them get numbers of their own."""

from threading import Lock

OTHER = "other"


class BoundedNames:
    """Gives the first names back as they are, and `other` for all after them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: set[str] = set()
        self._lock = Lock()

    def bounded(self, name: str) -> str:
        """Return the label value of a name."""
        with self._lock:
            if name in self._known:
                return name
            if len(self._known) >= self._limit:
                return OTHER
            self._known.add(name)
            return name
