"""Steps of batch work that end early because something more urgent has come (PROTOCOL.md section 15).

The loop says which step runs and that it is over; the reader asks when an urgent request has come. An interrupt reaches
the step it was meant for or none: both happen under one lock, and requests are counted, so that one which the loop had
taken before the step began does not interrupt it.
"""

import logging
from collections.abc import Iterator, Sequence
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


class InterruptibleStep(Struct, frozen=True):
    """A step that may be interrupted while it is expected to go on for longer than `after_ms`."""

    program: AnyProgram
    # In milliseconds; infinite where nobody knows.
    ends_at: float
    after_ms: float
    # How many requests the loop had taken when it chose the step.
    requests_taken: int


class Interrupts:
    """Shared by the loop and the reader."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: InterruptibleStep | None = None
        # Number of the newest request that is worth an interrupt.
        self._asked_by = 0

    @contextmanager
    def during(self, step: InterruptibleStep | None) -> Iterator[bool]:
        """Around a step that is run; None: one that nothing interrupts. False: it need not even begin."""
        with self._lock:
            may_begin = step is None or self._asked_by <= step.requests_taken
            self._running = step if may_begin else None
        try:
            yield may_begin
        finally:
            with self._lock:
                self._running = None

    def ask(self, request: int) -> None:
        """For the reader: the request with this number, counted from 1, has been handed to the loop and is urgent."""
        with self._lock:
            self._asked_by = request
            step = self._running
            if step is None or request <= step.requests_taken or step.ends_at - now_ms() <= step.after_ms:
                return
            try:
                step.program.interrupt()
            except Exception:
                # The step runs to its end.
                logger.exception("A step of %s cannot be interrupted.", type(step.program).__name__)


def interruptible_step(
    records: Sequence[TaskRecord], policy: Policy, expected_ms: float | None, requests_taken: int
) -> InterruptibleStep | None:
    """The step of these tasks, which begins now, if it may be interrupted."""
    bound = records[0].bound
    if not bound.is_interruptible or not policy.interactive_first or policy.interrupt_after_ms is None:
        return None
    if any(record.task_class != "batch" or record.interruptions >= IN_A_ROW_MAX for record in records):
        return None
    ends_at = inf if expected_ms is None else now_ms() + expected_ms
    return InterruptibleStep(bound.program, ends_at, policy.interrupt_after_ms, requests_taken)
