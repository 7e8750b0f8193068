"""To whom growth of the process's memory is put down while several models load at the same time.

The kernel knows only the whole process. So whoever has just opened something is charged with what has come since
anybody was charged last: each byte counts once, and the sum is right; between two that open at the same time the border
may lie wrong, and what steps keep meanwhile counts as well.
"""

from hearth_worker import memory


class PrivateGrowth:
    """Growth of private anonymous memory between two looks."""

    def __init__(self) -> None:
        self._seen_bytes = 0

    def begin(self) -> None:
        """What has come until now is nobody's. For when no load is under way."""
        self._seen_bytes = memory.measure().private_bytes

    def take(self) -> int:
        """Bytes since the last look; never negative."""
        now_bytes = memory.measure().private_bytes
        grown_bytes = max(now_bytes - self._seen_bytes, 0)
        self._seen_bytes = now_bytes
        return grown_bytes
