"""A bound on bytes that several threads take at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class ByteBudget:
    """Whoever asks for more than is left waits. One that asks for more than there is in all gets it alone."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._taken_bytes = 0
        self._changed = Condition()

    @contextmanager
    def taken(self, size_bytes: int) -> Iterator[None]:
        """So many of them, until the block ends. Taking none never waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_room_for(size_bytes))
            self._taken_bytes += size_bytes
        try:
            yield
        finally:
            with self._changed:
                self._taken_bytes -= size_bytes
                self._changed.notify_all()

    def _has_room_for(self, size_bytes: int) -> bool:
        is_first = self._taken_bytes == 0 or size_bytes == 0
        return is_first or self._taken_bytes + size_bytes <= self._limit_bytes
