"""What the server asks of tasks: to run, to stop, to pause, to be saved (PROTOCOL.md section 4)."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hearth_worker.admission import Admission
from hearth_worker.checkpoints import Checkpoints
from hearth_worker.connection import Connection
from hearth_worker.held_outputs import HeldOutputs
from hearth_worker.inbox import Received
from hearth_worker.pausing import Pausing
from hearth_worker.protocol.reports import Error
from hearth_worker.protocol.requests import (
    Admit,
    Cancel,
    Checkpoint,
    Credit,
    Pause,
    Release,
    Request,
    Restore,
    Resume,
    Withdraw,
)
from hearth_worker.settle import Settlement
from hearth_worker.tasks import TaskRecord, Tasks


class TaskRequests:
    """One method for each. A task that this worker does not know, or no more, is passed over: its end is on its way."""

    def __init__(
        self,
        connection: Connection,
        tasks: Tasks,
        admission: Admission,
        settlement: Settlement,
        pausing: Pausing,
        checkpoints: Checkpoints,
        held: HeldOutputs,
    ) -> None:
        self._connection = connection
        self._tasks = tasks
        self._admission = admission
        self._settlement = settlement
        self._pausing = pausing
        self._checkpoints = checkpoints
        self._held = held
        self.methods: dict[type[Request], Callable[[Any, Received], None]] = {
            Admit: self._admit,
            Restore: self._admit,
            Withdraw: self._withdraw,
            Cancel: self._cancel,
            Credit: self._credit,
            Pause: self._pause,
            Resume: self._resume,
            Checkpoint: self._checkpoint,
            Release: self._release,
        }

    def _admit(self, request: Admit | Restore, received: Received) -> None:
        for task in request.tasks:
            if self._tasks.get(task.task):
                error = Error("duplicate_task", f"Task {task.task} was admitted before.", retryable=False)
                self._connection.tell(error, received.request_id)
            else:
                self._admission.admit(task, received.at)

    def _withdraw(self, request: Withdraw, _received: Received) -> None:
        for record in self._known(request.tasks):
            if not record.has_started:
                self._settlement.withdraw(record)

    def _cancel(self, request: Cancel, _received: Received) -> None:
        for record in self._known(request.tasks):
            self._settlement.cancel(record)
        self._drop(request.tasks)

    def _credit(self, request: Credit, _received: Received) -> None:
        for credit in request.tasks:
            for record in self._known([credit.task]):
                self._settlement.give_credit(record, credit.items)

    def _pause(self, request: Pause, _received: Received) -> None:
        for record in self._known(request.tasks):
            self._pausing.pause(record)

    def _resume(self, request: Resume, _received: Received) -> None:
        for record in self._known(request.tasks):
            self._pausing.resume(record)

    def _checkpoint(self, request: Checkpoint, _received: Received) -> None:
        for record in self._known(request.tasks):
            self._checkpoints.take(record)

    def _release(self, request: Release, _received: Received) -> None:
        self._drop(request.tasks)

    def _drop(self, tasks: Sequence[int]) -> None:
        for task in tasks:
            self._held.drop(task)

    def _known(self, tasks: Sequence[int]) -> Iterator[TaskRecord]:
        return (record for task in tasks if (record := self._tasks.get(task)))
