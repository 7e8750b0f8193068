"""The next task of an interactive job is on its way when one has ended whose output stays here (PROTOCOL.md section 8).

Pure. A long step of batch work that began in between would only be interrupted, and be for nothing.
"""

from collections.abc import Iterable

from hearth_worker.tasks import TaskRecord

WAIT_MS = 25.0


class FollowUps:
    """Until when a worker rests rather than begin a step of batch work."""

    def __init__(self) -> None:
        self._until = 0.0

    def step_ended(self, records: Iterable[TaskRecord], now: float) -> None:
        """A step of these tasks is over; times in milliseconds."""
        for record in records:
            if record.task_class != "interactive":
                continue
            # Whatever was awaited may be the one that ran.
            self._until = now + WAIT_MS if record.is_done and record.is_held else 0.0

    def due_at(self, now: float) -> float | None:
        """None: nothing is awaited any more."""
        return self._until if now < self._until else None
