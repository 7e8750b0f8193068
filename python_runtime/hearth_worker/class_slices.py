"""Batch work has its share of a worker's time, however much interactive work there is (PROTOCOL.md section 8).

Pure. What batch work computes while interactive work rests counts too, so that it takes a step from nobody where
it comes to its share anyway.
"""

from hearth_worker.protocol.requests import TaskClass

BATCH_SHARE = 0.05
SLICE_MS = 50.0
SAVED_MS_MAX = 500.0


class ClassSlices:
    """What batch work is owed, in milliseconds."""

    def __init__(self) -> None:
        self._owed_ms = 0.0

    @property
    def is_batch_due(self) -> bool:
        """The next step is one of batch work, if any is ready."""
        return self._owed_ms >= SLICE_MS

    def computed(self, task_class: TaskClass, ms: float, *, is_batch_waiting: bool) -> None:
        """A step of this class took so long. Waiting: batch work could have had it."""
        if task_class == "batch":
            self._owed_ms = max(self._owed_ms - (1 - BATCH_SHARE) * ms, -SAVED_MS_MAX)
        elif is_batch_waiting:
            self._owed_ms += BATCH_SHARE * ms
        else:
            # Nobody waits: nothing is owed.
            self._owed_ms = min(self._owed_ms, 0.0)
