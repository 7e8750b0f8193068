"""What follows from an outcome: for the task, and for those who watch it."""

import logging

from hearth_worker.check_outcome import Outcome, check_output, checked
from hearth_worker.checkpoints import Checkpoints
from hearth_worker.failures import words_of
from hearth_worker.held_outputs import HeldOutputs
from hearth_worker.item_flow import ItemFlow
from hearth_worker.programs.outcomes import Advanced, Done, Failed, Preview
from hearth_worker.report import Report
from hearth_worker.tasks import TaskRecord, Tasks

PREVIEW_BYTES_MAX = 512 * 1024

logger = logging.getLogger(__name__)


class Settlement:
    """Ends tasks, or moves them to their next step."""

    def __init__(self, tasks: Tasks, report: Report, checkpoints: Checkpoints, held: HeldOutputs) -> None:
        self._tasks = tasks
        self._report = report
        self._checkpoints = checkpoints
        self._held = held

    def settle(self, record: TaskRecord, outcome: Outcome) -> None:
        """After a step that the task took part in."""
        record.steps_run += 1
        record.interruptions = 0
        outcome = checked(outcome, is_held=record.is_held)
        if isinstance(outcome, Failed):
            self.fail(record, outcome)
            return
        failure = self._show(record, outcome)
        if failure:
            self.fail(record, failure)
        elif isinstance(outcome, Advanced):
            record.state = outcome.state
            self._checkpoints.take_if_due(record)
            self._tasks.place(record)
        else:
            record.output = outcome.output
            record.is_done = True
            self.go_on(record)

    def give_credit(self, record: TaskRecord, items: int) -> None:
        """More of its partial items may leave."""
        record.credit += items
        if record.items is None:
            return
        record.items.give(items)
        self._report.emitted(record.task, record.items)
        self.go_on(record)

    def go_on(self, record: TaskRecord) -> None:
        """To its next step, or to its end if it is done and nothing of it is kept back."""
        items_wait = record.items is not None and record.items.is_held
        if record.is_done and not items_wait and not record.is_paused:
            self._finish(record)
        else:
            self._tasks.place(record)

    def fail(self, record: TaskRecord, failure: Failed) -> None:
        """The task ends without a result."""
        self._report.failed(record.task, failure.code, failure.message, retryable=failure.retryable)
        self._drop(record)

    def cancel(self, record: TaskRecord) -> None:
        """The task's state is dropped at once; the job keeps what the program keeps."""
        output = self._kept(record) if record.has_started else None
        self._report.cancelled(record.task, output, record.steps_run)
        self._drop(record)

    def withdraw(self, record: TaskRecord) -> None:
        """The task, which has not started, is given back."""
        self._report.withdrawn(record.task)
        self._drop(record)

    def _show(self, record: TaskRecord, outcome: Advanced[object] | Done[object]) -> Failed | None:
        """Hands on what may be seen of the step."""
        if outcome.progress is not None:
            record.progress_done = outcome.progress.done
            self._report.progressed(record.task, outcome.progress)
        for piece in outcome.pieces:
            self._report.wrote(record.task, piece)
        if outcome.preview is not None:
            self._show_preview(record, outcome.preview)
        if not outcome.items:
            return None
        if record.items is None:
            record.items = ItemFlow(record.task, record.credit)
        try:
            record.items.emit(outcome.items)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            return Failed("engine_error", f"An item cannot be sent: {words_of(error)}.")
        self._report.emitted(record.task, record.items)
        return None

    def _show_preview(self, record: TaskRecord, preview: Preview) -> None:
        size_bytes = len(preview.data)
        if size_bytes <= PREVIEW_BYTES_MAX:
            self._report.previewed(record.task, preview)
        else:
            words = "A preview of task %d is dropped: it takes %d bytes; %d are possible."
            logger.warning(words, record.task, size_bytes, PREVIEW_BYTES_MAX)

    def _finish(self, record: TaskRecord) -> None:
        if not record.is_held:
            self._report.done(record.task, record.output, record.steps_run)
        else:
            try:
                held_bytes = self._held.keep(record.task, record.model, record.output)
            except Exception as error:
                self.fail(record, Failed("engine_error", f"The task's output cannot be held: {words_of(error)}."))
                return
            self._report.done(record.task, {}, record.steps_run, held_bytes)
        self._drop(record)

    def _kept(self, record: TaskRecord) -> object | None:
        try:
            output = record.bound.program.keep(record.state)
            if output is not None:
                check_output(output)
        except Exception:
            logger.exception("Task %d is cancelled without what it should keep.", record.task)
            return None
        return output

    def _drop(self, record: TaskRecord) -> None:
        self._tasks.remove(record)
        record.bound.release(record.state)
        # Its deadline may remember the record for a while; what it has taken and made is to go now.
        record.state = record.output = record.items = None
