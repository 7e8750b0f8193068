"""The step loop: whoever is ready joins the next step, up to the limit of its policy; nobody waits for the server.

A turn takes what has come, ends what is too late, chooses a step and runs it, and reports. When there is nothing to do
the loop rests until something comes: a request, a call of an engine, the end of a hold, a deadline, a report's time.
"""

import logging
from collections.abc import Collection

from hearth_worker.activity import Activity
from hearth_worker.admission import Admission
from hearth_worker.checkpoints import Checkpoints
from hearth_worker.choose_step import Step, WaitUntil, choose_step, rank_of
from hearth_worker.class_slices import ClassSlices
from hearth_worker.clock import now_ms
from hearth_worker.connection import Connection
from hearth_worker.failures import words_of
from hearth_worker.follow_ups import FollowUps
from hearth_worker.held_outputs import HeldOutputs
from hearth_worker.inbox import Inbox, Received, Wakeup
from hearth_worker.interrupts import Interrupts
from hearth_worker.large_tensors import LargeTensors
from hearth_worker.lease import Lease
from hearth_worker.model_requests import ModelRequests
from hearth_worker.models import Models
from hearth_worker.pausing import Pausing
from hearth_worker.programs.outcomes import Failed
from hearth_worker.report import Report
from hearth_worker.request_handler import RequestHandler
from hearth_worker.seats import within_seats
from hearth_worker.settle import Settlement
from hearth_worker.stage_slices import StageSlices
from hearth_worker.statistics import Statistics
from hearth_worker.step_runner import StepRunner
from hearth_worker.task_requests import TaskRequests
from hearth_worker.tasks import TaskRecord, Tasks
from hearth_worker.worker_requests import WorkerRequests

logger = logging.getLogger(__name__)


class StepLoop:
    """Runs in the main thread until it is asked to stop."""

    def __init__(
        self,
        epoch: int,
        connection: Connection,
        inbox: Inbox,
        activity: Activity,
        models: Models,
        large: LargeTensors,
        interrupts: Interrupts,
        *,
        joins_reports: bool = True,
    ) -> None:
        self._connection = connection
        self._inbox = inbox
        self._models = models
        self._interrupts = interrupts
        self._tasks = tasks = Tasks(activity)
        self._held = held = HeldOutputs()
        self._report = report = Report(connection, activity, large, is_joined=joins_reports)
        self._lease = lease = Lease()
        self._slices = slices = StageSlices()
        self._class_slices = ClassSlices()
        self._follow_ups = FollowUps()
        checkpoints = Checkpoints(models.policies, report)
        self._settlement = settlement = Settlement(tasks, report, checkpoints, held)
        pausing = Pausing(tasks, report, checkpoints, settlement)
        self._steps = StepRunner(connection, inbox, activity, models, tasks, report, settlement, interrupts, lease)
        statistics = Statistics(epoch, models, tasks, activity)
        admission = Admission(models, tasks, held, report)
        self._of_models = ModelRequests(
            connection, activity, models, tasks, held, report, slices, settlement, admission
        )
        self._handler = RequestHandler(
            WorkerRequests(connection, statistics, large, lease, pausing),
            self._of_models,
            TaskRequests(connection, tasks, admission, settlement, pausing, checkpoints, held),
        )
        self._is_stopped = False

    def run(self) -> None:
        """Returns after SHUTDOWN or a signal to stop. Raises ServerGone."""
        while self._takes_what_has_come():
            self._end_what_cannot_go_on()
            self._turn()

    def release_all(self) -> None:
        """Drops every task without a word, what is held, and every model."""
        for record in self._tasks.all():
            record.bound.release(record.state)
        self._held.drop_all()
        self._models.close()

    def _turn(self) -> None:
        """A step or a rest. What was chosen is held by nobody afterwards: an UNLOAD may follow, which is to free it."""
        if not self._lease.is_held:
            self._rest(None)
            return
        policies = self._models.policies
        ready = within_seats(self._tasks.ready, policies)
        choice = self._choose(ready)
        if isinstance(choice, Step):
            is_contested = self._is_contested(choice.tasks[0], ready)
            step_ms = self._steps.run(choice.tasks)
            self._slices.computed(choice.tasks[0].stage, step_ms, is_contested=is_contested)
            is_batch_waiting = any(record.task_class == "batch" for record in ready)
            self._class_slices.computed(choice.tasks[0].task_class, step_ms, is_batch_waiting=is_batch_waiting)
            self._follow_ups.step_ended(choice.tasks, now_ms())
        else:
            self._rest(choice)

    def _choose(self, ready: Collection[TaskRecord]) -> Step[TaskRecord] | WaitUntil | None:
        """Of all, or of batch work alone where a step is due to it."""
        policies = self._models.policies
        first = self._slices.first
        if self._class_slices.is_batch_due:
            batch = [record for record in ready if record.task_class == "batch"]
            choice = choose_step(batch, policies, now_ms(), first)
            if isinstance(choice, Step):
                return choice
        choice = choose_step(ready, policies, now_ms(), first)
        awaited = self._follow_ups.due_at(now_ms())
        if awaited is not None and isinstance(choice, Step) and choice.tasks[0].task_class == "batch":
            return WaitUntil(awaited)
        return choice

    def _is_contested(self, chosen: TaskRecord, ready: Collection[TaskRecord]) -> bool:
        """Whether the other stage could have had this step."""
        policies = self._models.policies
        rank = rank_of(chosen, policies)
        return any(record.stage != chosen.stage and rank_of(record, policies) == rank for record in ready)

    def _takes_what_has_come(self) -> bool:
        """False once it was asked to stop."""
        while not self._is_stopped and not self._inbox.is_empty():
            self._take(self._inbox.take(0))
        return not self._is_stopped

    def _take(self, item: Received | Wakeup | None) -> None:
        if item == "engine":
            self._of_models.tell_load_news()
            self._tasks.look_again()
        elif item == "stop":
            self._is_stopped = True
        elif item is not None:
            self._handler.handle(item)
            self._is_stopped = self._handler.is_shut_down

    def _end_what_cannot_go_on(self) -> None:
        for record, error in self._tasks.take_broken():
            logger.error("The program of task %d cannot say what comes next.", record.task, exc_info=error)
            self._settlement.fail(record, Failed("engine_error", f"The task cannot go on: {words_of(error)}"))
        for record in self._tasks.take_expired(now_ms()):
            self._settlement.fail(record, Failed("deadline_exceeded", "The task's deadline has passed."))

    def _rest(self, hold: WaitUntil | None) -> None:
        now = now_ms()
        self._interrupts.forget(self._inbox.requests_taken)
        self._report.leave_if_due(now)
        if self._inbox.is_empty():
            self._connection.acknowledge()
        ends = (hold.time if hold else None, self._report.due_at(), self._tasks.next_deadline())
        first = min((end for end in ends if end is not None), default=None)
        self._take(self._inbox.take(None if first is None else first - now_ms()))
