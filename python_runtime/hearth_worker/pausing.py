"""Tasks that are left out of steps for a while and keep their states (PROTOCOL.md section 12)."""

from hearth_worker.checkpoints import Checkpoints
from hearth_worker.report import Report
from hearth_worker.settle import Settlement
from hearth_worker.tasks import TaskRecord, Tasks


class Pausing:
    """Any task may be paused, whatever it waits for."""

    def __init__(self, tasks: Tasks, report: Report, checkpoints: Checkpoints, settlement: Settlement) -> None:
        self._tasks = tasks
        self._report = report
        self._checkpoints = checkpoints
        self._settlement = settlement

    def pause(self, record: TaskRecord) -> None:
        """From the next step on. Says so once more of a task that is paused."""
        if not record.is_paused:
            self.suspend(record)
            record.is_paused = True
            self._tasks.place(record)
        self._checkpoints.take(record)
        self._report.paused(record.task, record.bound.state_bytes(record.state) if record.has_started else 0)

    def resume(self, record: TaskRecord) -> None:
        """It may take part in steps again."""
        if record.is_paused:
            record.is_paused = False
            self._settlement.go_on(record)

    def suspend_batch(self) -> None:
        """Has engines compute no further, between steps, for tasks of class batch; their next steps begin it again."""
        for record in self._tasks.all():
            if record.task_class == "batch":
                self.suspend(record)

    def suspend(self, record: TaskRecord) -> None:
        """Where its engine computes between steps: not for this task, until its next step."""
        if record.bound.seats is None or not record.is_seated or record.is_done:
            return
        suspended = record.bound.suspend(record.state)
        # None: the engine cannot; what it goes on to compute waits in the state.
        if suspended is not None:
            record.state = suspended
            self._tasks.leave_seat(record)
            self._tasks.place(record)
