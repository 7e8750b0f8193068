"""How long steps last, gathered for the server, which learns from it how many states should share one."""

from collections.abc import Iterator
from contextlib import contextmanager

from hearth_worker import memory
from hearth_worker.clock import now_ms
from hearth_worker.failures import OutOfMemory
from hearth_worker.protocol.reports import StepTime, StepTimes, TooLarge
from hearth_worker.tasks import TaskRecord

# Times leave at most so often; nobody waits for them.
INTERVAL_MS = 100.0
# So many steps of as many states show what memory they take; and now and then another one, for inputs change.
MEASURED_STEPS = 2
MEASURED_EVERY = 256
# Shapes come from clients: more of them are not remembered at once.
KINDS_MAX = 1024
# Model, node, shape and number of states.
Kind = tuple[int, str, str, int]


class GatheredTimes:
    """Of steps that ran to their ends, and of those that did not fit into memory."""

    def __init__(self) -> None:
        self._gathered_at: float | None = None
        self._ms: dict[Kind, list[float]] = {}
        self._peaks: dict[Kind, int] = {}
        self._too_large: dict[Kind, None] = {}
        # Of each node and shape the first step is not timed: engines prepare themselves in it.
        self._begun: set[tuple[int, str, str]] = set()
        # Steps that were measured, or could have been.
        self._seen: dict[Kind, int] = {}

    @contextmanager
    def step_of(self, record: TaskRecord, states: int, *, is_loading: bool = False) -> Iterator[None]:
        """Around a step of so many states, one of which is the record's. `is_loading`: a model is, and takes memory."""
        if record.bound.seats is not None:
            # Its engine computes between steps.
            yield
            return
        kind = (record.model, record.bound.node, record.shape, states)
        is_first = kind[:3] not in self._begun
        before_bytes = None if is_first or is_loading else self._begin_peak(kind)
        began_at = now_ms()
        try:
            yield
        except (OutOfMemory, MemoryError):
            self._too_large[kind] = None
            self._note(now_ms())
            raise
        ended_at = now_ms()
        if is_first:
            if len(self._begun) >= KINDS_MAX:
                self._begun.clear()
            self._begun.add(kind[:3])
            return
        self._ms.setdefault(kind, []).append(ended_at - began_at)
        if before_bytes is not None and (peak_bytes := memory.peak_private_bytes()) is not None:
            self._peaks[kind] = max(peak_bytes - before_bytes, self._peaks.get(kind, 0))
        self._note(ended_at)

    def due_at(self) -> float | None:
        """When what is gathered has to leave, in milliseconds; None if there is nothing."""
        return None if self._gathered_at is None else self._gathered_at + INTERVAL_MS

    def take(self) -> StepTimes:
        """What is gathered; it is forgotten here."""
        times = [
            StepTime(*kind, len(each), sum(each) / len(each), self._peaks.get(kind)) for kind, each in self._ms.items()
        ]
        too_large = [TooLarge(*kind) for kind in self._too_large]
        self._gathered_at = None
        self._ms, self._peaks, self._too_large = {}, {}, {}
        return StepTimes(times, too_large)

    def forget(self, model: int) -> None:
        """It is unloaded: what comes under its number later begins anew."""
        self._begun = {each for each in self._begun if each[0] != model}
        self._seen = {each: count for each, count in self._seen.items() if each[0] != model}

    def _note(self, now: float) -> None:
        if self._gathered_at is None:
            self._gathered_at = now

    def _begin_peak(self, kind: Kind) -> int | None:
        """Private memory before this step; None where it is not measured: asking takes time, so few steps are."""
        seen = self._seen.get(kind, 0)
        if seen == 0 and len(self._seen) >= KINDS_MAX:
            self._seen.clear()
        self._seen[kind] = seen + 1
        return memory.begin_peak() if seen < MEASURED_STEPS or seen % MEASURED_EVERY == 0 else None
