"""Steps that end early because something more urgent has come (PROTOCOL.md section 15).

The loop says which step runs and that it is over; the reader asks when an urgent request has come. An interrupt reaches
the step it was meant for or none: both happen under one lock, and requests are counted, so that one which the loop had
taken before the step began does not interrupt it.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from threading import Lock

from msgspec import Struct

from hearth_worker.clock import now_ms
from hearth_worker.programs.registry import AnyProgram
from hearth_worker.protocol.requests import Policy
from hearth_worker.tasks import TaskRecord

IN_A_ROW_MAX = 3

logger = logging.getLogger(__name__)


class Ask(Struct, frozen=True):
    """A request worth an interrupt."""

    # Requests are counted from 1 in the order in which the loop takes them.
    number: int
    # What it takes out of steps; None: it is more urgent than any step of batch work.
    leaving: frozenset[int] | None = None


class InterruptibleStep(Struct, frozen=True):
    """A step that may be interrupted unless it is expected to end within `after_ms`."""

    program: AnyProgram
    # In milliseconds; infinite where nobody knows.
    ends_at: float
    after_ms: float
    # How many requests the loop had taken when it chose the step.
    requests_taken: int
    # How often each of its tasks has been interrupted in a row.
    interruptions: Mapping[int, int]
    # It is batch work, which makes way.
    gives_way: bool

    def is_asked(self, ask: Ask) -> bool:
        """Whether the request came too late for the choice of the step, and is worth repeating it."""
        if ask.number <= self.requests_taken:
            return False
        if ask.leaving is None:
            return self.gives_way and self._has_patience(self.interruptions.keys())
        staying = self.interruptions.keys() - ask.leaving
        return len(staying) < len(self.interruptions) and self._has_patience(staying)

    def is_nearly_over(self, now: float) -> bool:
        """One that should have ended already is not: nobody knows how long it lasts."""
        return 0 <= self.ends_at - now <= self.after_ms

    def _has_patience(self, tasks: Iterable[int]) -> bool:
        return all(self.interruptions[task] < IN_A_ROW_MAX for task in tasks)


class Interrupts:
    """Shared by the loop and the reader."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: InterruptibleStep | None = None
        # Those that the loop may not have taken yet, oldest first.
        self._asked: list[Ask] = []
        # Whether the step that runs, or ran last, was asked to end.
        self.has_interrupted = False

    @contextmanager
    def during(self, step: InterruptibleStep | None, requests_taken: int) -> Iterator[bool]:
        """Around a step that is run; None: one that nothing interrupts. False: it need not even begin."""
        with self._lock:
            self._forget(requests_taken)
            self.has_interrupted = False
            may_begin = step is None or not any(step.is_asked(ask) for ask in self._asked)
            self._running = step if may_begin else None
        try:
            yield may_begin
        finally:
            with self._lock:
                self._running = None
                if self.has_interrupted and step is not None:
                    _clear(step.program)

    def forget(self, requests_taken: int) -> None:
        """The loop has taken so many requests, and no step runs that older ones could be too late for."""
        with self._lock:
            self._forget(requests_taken)

    def ask(self, ask: Ask) -> None:
        """For the reader: an urgent request has been handed to the loop."""
        with self._lock:
            self._asked.append(ask)
            step = self._running
            if step is None or not step.is_asked(ask) or step.is_nearly_over(now_ms()):
                return
            self.has_interrupted = True
            try:
                step.program.interrupt()
            except Exception:
                # The step runs to its end.
                logger.exception("A step of %s cannot be interrupted.", type(step.program).__name__)

    def _forget(self, requests_taken: int) -> None:
        self._asked = [ask for ask in self._asked if ask.number > requests_taken]


def _clear(program: AnyProgram) -> None:
    try:
        program.clear_interrupt()
    except Exception:
        logger.exception("%s cannot forget that it was interrupted.", type(program).__name__)


def interruptible_step(
    records: Sequence[TaskRecord], policy: Policy, expected_ms: float | None, requests_taken: int
) -> InterruptibleStep | None:
    """The step of these tasks, which begins now, if it may be interrupted."""
    bound = records[0].bound
    if not bound.is_interruptible or policy.interrupt_after_ms is None:
        return None
    return InterruptibleStep(
        bound.program,
        ends_at=inf if expected_ms is None else now_ms() + expected_ms,
        after_ms=policy.interrupt_after_ms,
        requests_taken=requests_taken,
        interruptions={record.task: record.interruptions for record in records},
        gives_way=policy.interactive_first and all(record.task_class == "batch" for record in records),
    )
