"""Collects what became of tasks and sends it: at most once per 10 ms, but at once what a user sees at once."""

from hearth_worker.activity import Activity
from hearth_worker.connection import Connection
from hearth_worker.entry_frames import entry_frames
from hearth_worker.failures import MESSAGE_CHARACTERS_MAX, FailureCode, sendable
from hearth_worker.item_flow import ItemFlow
from hearth_worker.large_tensors import LargeTensors
from hearth_worker.programs.outcomes import Piece, Preview, Progress
from hearth_worker.protocol.entries import (
    AnyEntry,
    CancelledEntry,
    DoneEntry,
    FailedEntry,
    PausedEntry,
    PreviewEntry,
    StartedEntry,
    StepEntry,
    TextEntry,
    WithdrawnEntry,
)
from hearth_worker.protocol.reports import Checkpointed, Partial
from hearth_worker.step_times import GatheredTimes

REPORT_INTERVAL_MS = 10.0


class Report:
    """What is collected leaves in this order: starts, items, progress, text, previews, checkpoints, ends and pauses. It
    is the true one for each task: what a checkpoint has behind it was said before."""

    def __init__(
        self, connection: Connection, activity: Activity, large: LargeTensors | None = None, *, is_joined: bool = True
    ) -> None:
        """Without `large`, large tensors go in chunks. Not `is_joined`: each change at once, in a frame of its own."""
        self._connection = connection
        self._large = large or LargeTensors()
        self._activity = activity
        self._is_joined = is_joined
        self._left_at = 0.0
        self._is_urgent = False
        self._starts: list[AnyEntry] = []
        self._flows: dict[int, ItemFlow] = {}
        # Newest wins.
        self._progress: dict[int, StepEntry] = {}
        self._previews: dict[int, PreviewEntry] = {}
        self._checkpoints: dict[int, Checkpointed] = {}
        self._texts: list[AnyEntry] = []
        self._ends: list[AnyEntry] = []
        # Leave with the first report after they are due.
        self.step_times = GatheredTimes()

    def started(self, task: int) -> None:
        """Its first step begins."""
        self._starts.append(StartedEntry(task))
        self._is_urgent = True

    def progressed(self, task: int, progress: Progress) -> None:
        """A step of it ended."""
        self._progress[task] = StepEntry(task, done=progress.done, total=progress.total, unit=progress.unit)

    def wrote(self, task: int, piece: Piece) -> None:
        """It has the next piece of a text."""
        self._texts.append(TextEntry(task, piece.item, piece.text))
        self._is_urgent = True

    def previewed(self, task: int, preview: Preview) -> None:
        """It has another preview of its picture."""
        self._previews[task] = PreviewEntry(task, preview.step, preview.mime_type, preview.data)
        self._is_urgent = True

    def checkpointed(self, task: int, step: int, saved: bytes) -> None:
        """Its state is written down."""
        self._checkpoints[task] = Checkpointed(task, step, saved)

    def emitted(self, task: int, flow: ItemFlow) -> None:
        """It has items, or credit for items it had."""
        if not flow.has_granted:
            return
        self._flows[task] = flow
        self._is_urgent = self._is_urgent or flow.is_urgent

    def done(self, task: int, output: object, steps_run: int, held_bytes: int = 0) -> None:
        """It has its output."""
        self._checkpoints.pop(task, None)
        self._end(DoneEntry(task, output, steps_run, held_bytes))

    def failed(self, task: int, code: FailureCode, message: str, *, retryable: bool) -> None:
        """It ended without one."""
        self._drop_results(task)
        self._end(FailedEntry(task, code, sendable(message[:MESSAGE_CHARACTERS_MAX]), retryable))

    def cancelled(self, task: int, output: object, steps_run: int) -> None:
        """Its state was dropped as asked."""
        self._drop_results(task)
        self._end(CancelledEntry(task, output=output, steps_run=steps_run))

    def withdrawn(self, task: int) -> None:
        """It is given back unstarted."""
        self._end(WithdrawnEntry(task))

    def paused(self, task: int, state_bytes: int) -> None:
        """It is left out of steps, as asked."""
        self._end(PausedEntry(task, state_bytes))

    def due_at(self) -> float | None:
        """When what is collected has to leave, in milliseconds; None if there is nothing."""
        if self._is_urgent:
            return 0.0
        if self._progress or self._flows or self._checkpoints:
            return self._left_at + REPORT_INTERVAL_MS if self._is_joined else 0.0
        return self.step_times.due_at()

    def leave_if_due(self, now: float) -> None:
        """Sends what is collected if its time has come."""
        due_at = self.due_at()
        if due_at is not None and due_at <= now:
            self.leave(now)

    def leave(self, now: float) -> None:
        """Sends everything collected."""
        self._left_at = now
        self._is_urgent = False
        starts, self._starts = self._starts, []
        flows, self._flows = self._flows, {}
        if flows:
            self._send_steps(starts)
            starts = []
            for flow in flows.values():
                for meta, payload in flow.frames():
                    self._connection.send(Partial.type, meta, payload)
        progress, self._progress = self._progress, {}
        texts, self._texts = self._texts, []
        previews, self._previews = self._previews, {}
        entries = [*starts, *progress.values(), *texts, *previews.values()]
        checkpoints, self._checkpoints = self._checkpoints, {}
        if checkpoints:
            self._send_steps(entries)
            entries = []
            for checkpoint in checkpoints.values():
                self._connection.tell(checkpoint)
        ends, self._ends = self._ends, []
        self._send_steps([*entries, *ends])
        times_due_at = self.step_times.due_at()
        if times_due_at is not None and times_due_at <= now:
            self._connection.tell(self.step_times.take())

    def _end(self, entry: AnyEntry) -> None:
        self._ends.append(entry)
        self._is_urgent = True

    def _drop_results(self, task: int) -> None:
        self._flows.pop(task, None)
        self._checkpoints.pop(task, None)

    def _send_steps(self, entries: list[AnyEntry]) -> None:
        groups = [entries] if self._is_joined else [[entry] for entry in entries]
        for group in groups if entries else ():
            for frame_type, meta, payload in entry_frames(group, self._activity.progress, self._large):
                self._connection.send(frame_type, meta, payload)
