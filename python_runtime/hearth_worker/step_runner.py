"""Runs a step that was chosen: who takes part is told before, what became of it after."""

from collections.abc import Sequence

from hearth_worker.activity import Activity
from hearth_worker.check_outcome import Outcome
from hearth_worker.clock import now_ms
from hearth_worker.connection import Connection
from hearth_worker.failures import Interrupted
from hearth_worker.inbox import Inbox
from hearth_worker.interrupts import Interrupts, interruptible_step
from hearth_worker.lease import Lease
from hearth_worker.models import Models
from hearth_worker.programs.outcomes import Failed
from hearth_worker.report import Report
from hearth_worker.run_step import run_step
from hearth_worker.settle import Settlement
from hearth_worker.tasks import TaskRecord, Tasks

# A step that is expected to last longer is announced before it begins (PROTOCOL.md section 5).
UNANNOUNCED_STEP_MS_MAX = 5.0


class StepRunner:
    """One step after the other, in the main thread."""

    def __init__(
        self,
        connection: Connection,
        inbox: Inbox,
        activity: Activity,
        models: Models,
        tasks: Tasks,
        report: Report,
        settlement: Settlement,
        interrupts: Interrupts,
        lease: Lease,
    ) -> None:
        self._connection = connection
        self._inbox = inbox
        self._activity = activity
        self._models = models
        self._tasks = tasks
        self._report = report
        self._settlement = settlement
        self._interrupts = interrupts
        self._lease = lease

    def run(self, records: Sequence[TaskRecord]) -> float:
        """A step of these tasks, of one program and one batch key. Returns how long it took, in milliseconds."""
        bound = records[0].bound
        if change := self._models.change_of(bound.model):
            self._fail_as_stale(records, change)
            return 0
        # Before anybody hears that the step begins, so that a PONG, or a REVOKED, never says otherwise.
        began_at = now_ms()
        self._activity.is_stepping = True
        outcomes = self._outcomes(records)
        self._activity.is_stepping = False
        self._activity.is_in_long_step = False
        self._activity.declared_step_ms = None
        self._activity.progress += 1
        ended_at = now_ms()
        self._lease.step_ended(began_at, ended_at)
        self._settle(records, outcomes)
        self._report.leave_if_due(ended_at)
        if self._report.due_at() is None:
            self._connection.acknowledge()
        return ended_at - began_at

    def _outcomes(self, records: Sequence[TaskRecord]) -> Sequence[Outcome | Interrupted]:
        """Of a step that may be interrupted, even before it has begun."""
        bound = records[0].bound
        states = [record.state for record in records]
        expected_ms = bound.expected_step_ms(states)
        self._activity.declared_step_ms = bound.declared_step_ms
        policy = self._models.policies[bound.model]
        requests_taken = self._inbox.requests_taken
        step = interruptible_step(records, policy, expected_ms, requests_taken)
        with self._interrupts.during(step, requests_taken) as may_begin:
            if may_begin:
                self._announce(records, expected_ms)
                return self._computed(records[0], states)
        return [Interrupted("Something urgent came before the step began.")] * len(states)

    def _computed(self, record: TaskRecord, states: Sequence[object]) -> Sequence[Outcome | Interrupted]:
        """Of a step that begins; `record` is one of its tasks."""
        bound = record.bound

        def step(states: Sequence[object]) -> Sequence[Outcome]:
            try:
                with self._report.step_times.step_of(record, len(states), is_loading=self._models.has_loads()):
                    return list(bound.program.step(states))
            except Interrupted as error:
                if self._interrupts.has_interrupted:
                    raise
                # Run again, it would do so for ever.
                raise RuntimeError("the program says that it was interrupted, and nobody had asked") from error

        began_at = now_ms()
        outcomes = run_step(step, states)
        if not any(isinstance(outcome, Interrupted) for outcome in outcomes):
            bound.learn(len(states), now_ms() - began_at)
        return outcomes

    def _settle(self, records: Sequence[TaskRecord], outcomes: Sequence[Outcome | Interrupted]) -> None:
        if change := self._models.change_of(records[0].model):
            self._fail_as_stale(records, change)
            return
        for record, outcome in zip(records, outcomes, strict=True):
            if isinstance(outcome, Interrupted):
                record.interruptions += 1
            else:
                self._settlement.settle(record, outcome)

    def _fail_as_stale(self, records: Sequence[TaskRecord], change: str) -> None:
        """Nobody knows what such a step has computed with: nothing of it is shown."""
        for record in records:
            self._settlement.fail(record, Failed("stale_model", change, retryable=True))

    def _announce(self, records: Sequence[TaskRecord], expected_ms: float | None) -> None:
        """Says who starts; before a step that may last, at once, so that its tasks are known should it be fatal."""
        newcomers = [record for record in records if not record.has_started]
        for record in newcomers:
            record.has_started = True
            self._report.started(record.task)
        for record in records:
            if not record.is_seated:
                self._tasks.take_seat(record)
        is_long = expected_ms is None or expected_ms > UNANNOUNCED_STEP_MS_MAX
        goes_on_in_engine = records[0].bound.seats is not None
        if is_long or (newcomers and goes_on_in_engine):
            self._report.leave(now_ms())
        if is_long:
            self._activity.is_in_long_step = True
            self._connection.acknowledge()
