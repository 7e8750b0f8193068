"""The step loop: whoever is ready joins the next step, up to the limit of its policy; nobody waits for the server.

A turn takes what has come, ends what is too late, chooses a step and runs it, and reports. When there is nothing to do
the loop rests until something comes: a request, a call of an engine, the end of a hold, a deadline, a report's time.
"""

import logging
from collections.abc import Sequence

from hearth_worker.activity import Activity
from hearth_worker.choose_step import Step, WaitUntil, choose_step
from hearth_worker.clock import now_ms
from hearth_worker.connection import Connection
from hearth_worker.failures import words_of
from hearth_worker.inbox import Inbox, Received, Wakeup
from hearth_worker.large_tensors import LargeTensors
from hearth_worker.models import Models
from hearth_worker.programs.outcomes import Failed
from hearth_worker.report import Report
from hearth_worker.request_handler import RequestHandler
from hearth_worker.run_step import run_step
from hearth_worker.seats import within_seats
from hearth_worker.settle import Settlement
from hearth_worker.statistics import Statistics
from hearth_worker.tasks import TaskRecord, Tasks

# A step that is expected to last longer is announced before it begins (PROTOCOL.md section 5).
UNANNOUNCED_STEP_MS_MAX = 5.0

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
    ) -> None:
        self._connection = connection
        self._inbox = inbox
        self._activity = activity
        self._models = models
        self._tasks = Tasks(activity)
        self._report = Report(connection, activity, large)
        self._settlement = Settlement(self._tasks, self._report)
        self._is_stopped = False
        self._handler = RequestHandler(
            connection,
            activity,
            models,
            self._tasks,
            self._report,
            self._settlement,
            Statistics(epoch, models, self._tasks, activity),
            large,
        )

    def run(self) -> None:
        """Returns after SHUTDOWN or a signal to stop. Raises ServerGone."""
        while self._takes_what_has_come():
            self._end_what_cannot_go_on()
            self._turn()

    def release_all(self) -> None:
        """Drops every task without a word, and every model."""
        for record in self._tasks.all():
            record.bound.release(record.state)
        self._models.close()

    def _turn(self) -> None:
        """A step or a rest. What was chosen is held by nobody afterwards: an UNLOAD may follow, which is to free it."""
        policies = self._models.policies
        choice = choose_step(within_seats(self._tasks.ready, policies), policies, now_ms())
        if isinstance(choice, Step):
            self._step(choice.tasks)
        else:
            self._rest(choice)

    def _takes_what_has_come(self) -> bool:
        """False once it was asked to stop."""
        while not self._is_stopped and not self._inbox.is_empty():
            self._take(self._inbox.take(0))
        return not self._is_stopped

    def _take(self, item: Received | Wakeup | None) -> None:
        if item == "engine":
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

    def _step(self, records: Sequence[TaskRecord]) -> None:
        bound = records[0].bound
        if change := self._models.change_of(bound.model):
            self._fail_as_stale(records, change)
            return
        states = [record.state for record in records]
        # Before anybody hears that the step begins, so that a PONG never says otherwise.
        self._activity.is_stepping = True
        self._announce(records, states)
        begun_at = now_ms()
        outcomes = run_step(bound.program, states)
        self._activity.is_stepping = False
        self._activity.is_in_long_step = False
        self._activity.progress += 1
        ended_at = now_ms()
        bound.learn(ended_at - begun_at)
        if change := self._models.change_of(bound.model):
            self._fail_as_stale(records, change)
        else:
            for record, outcome in zip(records, outcomes, strict=True):
                self._settlement.settle(record, outcome)
        self._report.leave_if_due(ended_at)
        if self._report.due_at() is None:
            self._connection.acknowledge()

    def _fail_as_stale(self, records: Sequence[TaskRecord], change: str) -> None:
        """Nobody knows what such a step has computed with: nothing of it is shown."""
        for record in records:
            self._settlement.fail(record, Failed("stale_model", change, retryable=True))

    def _announce(self, records: Sequence[TaskRecord], states: Sequence[object]) -> None:
        """Says who starts; before a step that may last, at once, so that its tasks are known should it be fatal."""
        bound = records[0].bound
        newcomers = [record for record in records if not record.has_started]
        for record in newcomers:
            self._tasks.start(record)
            self._report.started(record.task)
        expected_ms = bound.expected_step_ms(states)
        is_long = expected_ms is None or expected_ms > UNANNOUNCED_STEP_MS_MAX
        goes_on_in_engine = bound.seats is not None
        if is_long or (newcomers and goes_on_in_engine):
            self._report.leave(now_ms())
        if is_long:
            self._activity.is_in_long_step = True
            self._connection.acknowledge()

    def _rest(self, hold: WaitUntil | None) -> None:
        now = now_ms()
        self._report.leave_if_due(now)
        if self._inbox.is_empty():
            self._connection.acknowledge()
        ends = (hold.time if hold else None, self._report.due_at(), self._tasks.next_deadline())
        first = min((end for end in ends if end is not None), default=None)
        self._take(self._inbox.take(None if first is None else first - now_ms()))
