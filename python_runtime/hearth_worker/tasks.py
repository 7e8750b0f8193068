"""The tasks this worker has, each in one place: ready, waiting for its engine, or left out (blocked, paused, done)."""

from collections.abc import Collection, Hashable
from heapq import heapify, heappop, heappush
from itertools import count

from hearth_worker.activity import Activity
from hearth_worker.bound_program import BoundProgram
from hearth_worker.item_flow import ItemFlow
from hearth_worker.protocol.requests import Stage, Task, TaskClass

OLD_DEADLINES_MAX = 1000


class TaskRecord:
    """One admitted task. It has the fields of a ReadyTask, so that steps are chosen without copies."""

    __slots__ = (
        "batch_key",
        "bound",
        "credit",
        "deadline_at",
        "has_started",
        "interruptions",
        "is_done",
        "is_held",
        "is_paused",
        "is_seated",
        "is_too_large",
        "items",
        "limit",
        "model",
        "order",
        "output",
        "progress_done",
        "ready_since",
        "shape",
        "stage",
        "state",
        "steps_run",
        "task",
        "task_class",
    )

    def __init__(self, task: Task, bound: BoundProgram, state: object, at: float) -> None:
        self.task: int = task.task
        self.model: int = task.model
        self.task_class: TaskClass = task.task_class
        self.stage: Stage = task.stage or "inference"
        self.order: int = task.order
        # Its output stays here.
        self.is_held = bool(task.hold)
        self.bound = bound
        # So many states of its program may share a step.
        self.limit = bound.limit
        self.state = state
        # Of its present state, set when it becomes ready.
        self.batch_key: Hashable = None
        # Of its batch key.
        self.shape = ""
        # Since its admission: one that has begun does not hold before each of its steps.
        self.ready_since = at
        self.deadline_at = None if task.deadline_ms is None else at + task.deadline_ms
        self.credit: int = task.credit
        # Set by its first item.
        self.items: ItemFlow | None = None
        # It is done, with this output, but its last items wait for credit.
        self.is_done = False
        self.output: object = None
        self.has_started = False
        # Its engine computes for it, or would.
        self.is_seated = False
        self.is_paused = False
        # Its state is more than can be saved.
        self.is_too_large = False
        self.steps_run = 0
        # Of its last progress.
        self.progress_done: int | None = None
        # Steps that were interrupted since it took part in one that was not.
        self.interruptions = 0

    def begin(self, bound: BoundProgram, state: object) -> None:
        """Gives it its program and first state, for which it was waiting."""
        self.bound = bound
        self.limit = bound.limit
        self.state = state

    @property
    def node(self) -> str:
        """What its program is to its model."""
        return self.bound.node

    @property
    def steps_done(self) -> int:
        """How far it is, as its program counts; by the steps that it has run here, if the program does not say."""
        return self.steps_run if self.progress_done is None else self.progress_done


class Tasks:
    """By the server's number of the task."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._all: dict[int, TaskRecord] = {}
        self._ready: dict[int, TaskRecord] = {}
        self._waiting: dict[int, TaskRecord] = {}
        self._broken: list[tuple[TaskRecord, Exception]] = []
        # Time, a number that breaks ties, and whose it is: a task may be withdrawn and come again as another record.
        self._deadlines: list[tuple[float, int, TaskRecord]] = []
        self._deadline_numbers = count()

    @property
    def ready(self) -> Collection[TaskRecord]:
        """Those that may take part in a step, as far as they themselves go."""
        return self._ready.values()

    def get(self, task: int) -> TaskRecord | None:
        """None for a task that this worker does not know, or no more."""
        return self._all.get(task)

    def add(self, record: TaskRecord) -> None:
        """A task that was admitted."""
        self._all[record.task] = record
        if record.deadline_at is not None:
            self._forget_old_deadlines()
            heappush(self._deadlines, (record.deadline_at, next(self._deadline_numbers), record))
        self.place(record)

    def take_seat(self, record: TaskRecord) -> None:
        """Its engine begins to compute for it, with the step that begins."""
        record.is_seated = True
        record.bound.seated += 1
        self._activity.tasks_in_engine += record.bound.seats is not None

    def leave_seat(self, record: TaskRecord) -> None:
        """Its engine computes for it no more."""
        record.is_seated = False
        record.bound.seated -= 1
        self._activity.tasks_in_engine -= record.bound.seats is not None

    def remove(self, record: TaskRecord) -> None:
        """A task that has ended."""
        del self._all[record.task]
        self._ready.pop(record.task, None)
        self._waiting.pop(record.task, None)
        if record.is_seated:
            self.leave_seat(record)

    def place(self, record: TaskRecord) -> None:
        """Puts it where it belongs now: to be called after whatever may have changed that."""
        task = record.task
        self._ready.pop(task, None)
        self._waiting.pop(task, None)
        if record.is_paused or record.is_done or (record.items is not None and record.items.is_blocked):
            return
        try:
            is_ready = record.bound.is_ready(record.state)
            if is_ready:
                record.batch_key = record.bound.batch_key(record.state)
                record.shape = record.bound.shape_of(record.batch_key)
        except Exception as error:
            self._broken.append((record, error))
            return
        if is_ready:
            self._ready[task] = record
        else:
            self._waiting[task] = record

    def take_broken(self) -> list[tuple[TaskRecord, Exception]]:
        """Those whose program raised when it was asked about them; each is told of once."""
        if not self._broken:
            return []
        broken, self._broken = self._broken, []
        return [each for each in broken if self._is_here(each[0])]

    def look_again(self) -> None:
        """An engine has something new for some that wait."""
        for record in list(self._waiting.values()):
            self.place(record)

    def next_deadline(self) -> float | None:
        """When the first deadline of those here passes, in milliseconds."""
        while self._deadlines and not self._is_here(self._deadlines[0][2]):
            heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def take_expired(self, now: float) -> list[TaskRecord]:
        """Those whose deadline has passed; each is told of once."""
        expired: list[TaskRecord] = []
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            expired.append(heappop(self._deadlines)[2])
        return expired

    def _forget_old_deadlines(self) -> None:
        """Those of tasks that ended in time; now and then, so that far ones do not gather."""
        if len(self._deadlines) > 2 * len(self._all) + OLD_DEADLINES_MAX:
            self._deadlines = [each for each in self._deadlines if self._is_here(each[2])]
            heapify(self._deadlines)

    def _is_here(self, record: TaskRecord) -> bool:
        return self._all.get(record.task) is record

    def count_of(self, model: int) -> int:
        """How many tasks a model has here."""
        return sum(record.model == model for record in self._all.values())

    def all(self) -> list[TaskRecord]:
        """Every task."""
        return list(self._all.values())
