"""Carries out what the server asks for, type by type (PROTOCOL.md section 4)."""

import logging
from collections.abc import Callable
from typing import Any

from hearth_worker import memory
from hearth_worker.activity import Activity
from hearth_worker.admission import Admission
from hearth_worker.clock import now_ms
from hearth_worker.connection import Connection
from hearth_worker.failures import FailureCode, LoadFailed, OutOfMemory, StaleModel, words_of
from hearth_worker.inbox import Received
from hearth_worker.large_tensors import LargeTensors
from hearth_worker.models import Models
from hearth_worker.protocol.reports import Error, SlabsDropped, Unloaded
from hearth_worker.protocol.requests import (
    Admit,
    Cancel,
    Credit,
    Load,
    Policy,
    Request,
    Shutdown,
    SlabGrant,
    SlabRecall,
    SlabReturn,
    Stats,
    Unload,
    Withdraw,
)
from hearth_worker.report import Report
from hearth_worker.settle import Settlement
from hearth_worker.statistics import Statistics
from hearth_worker.tasks import Tasks

logger = logging.getLogger(__name__)


class RequestHandler:
    """Called between steps, in the order in which requests came."""

    def __init__(
        self,
        connection: Connection,
        activity: Activity,
        models: Models,
        tasks: Tasks,
        report: Report,
        settlement: Settlement,
        statistics: Statistics,
        large: LargeTensors,
    ) -> None:
        self._connection = connection
        self._activity = activity
        self._models = models
        self._tasks = tasks
        self._report = report
        self._settlement = settlement
        self._statistics = statistics
        self._large = large
        self._admission = Admission(models, tasks, report)
        self.is_shut_down = False
        self._methods: dict[type[Request], Callable[[Any, Received], None]] = {
            Load: self._load,
            Unload: self._unload,
            Admit: self._admit,
            Withdraw: self._withdraw,
            Cancel: self._cancel,
            Policy: self._policy,
            Credit: self._credit,
            Stats: self._stats,
            Shutdown: self._shut_down,
            SlabGrant: self._taken_by_the_reader,
            SlabReturn: self._taken_by_the_reader,
            SlabRecall: self._recall,
        }

    def handle(self, received: Received) -> None:
        """Answers at once what has an answer of its own; the rest shows in reports."""
        method = self._methods.get(type(received.request))
        if method is None:
            name = type(received.request).__name__.upper()
            self._refuse(received, "unsupported", f"This worker does not serve {name}.")
        else:
            method(received.request, received)

    def _load(self, request: Load, received: Received) -> None:
        self._begin_long_work()
        try:
            loaded = self._models.load(request)
        except Exception as error:
            code = _code_of_refused_load(error)
            if not isinstance(error, LoadFailed | StaleModel):
                logger.warning("Model %d cannot be loaded.", request.model, exc_info=error)
            _forget_tracebacks(error)
            memory.give_back()
            self._refuse(received, code, words_of(error), retryable=code != "engine_error")
        else:
            self._connection.tell(loaded, received.request_id)
        finally:
            self._activity.is_in_long_step = False

    def _begin_long_work(self) -> None:
        """Loading and freeing take long: what is known leaves first, and the reader acknowledges what comes."""
        self._report.leave(now_ms())
        self._activity.is_in_long_step = True
        self._connection.acknowledge()

    def _unload(self, request: Unload, received: Received) -> None:
        count = self._tasks.count_of(request.model)
        if request.model not in self._models:
            self._refuse(received, "not_loaded", f"Model {request.model} is not loaded in this worker.")
        elif count > 0:
            self._refuse(received, "in_use", f"Model {request.model} still has {count} tasks.")
        else:
            self._begin_long_work()
            try:
                private_bytes = self._models.unload(request.model)
            finally:
                self._activity.is_in_long_step = False
            self._connection.tell(Unloaded(request.model, private_bytes), received.request_id)

    def _admit(self, request: Admit, received: Received) -> None:
        for task in request.tasks:
            if self._tasks.get(task.task):
                self._refuse(received, "duplicate_task", f"Task {task.task} was admitted before.")
            else:
                self._admission.admit(task, received.at)

    def _withdraw(self, request: Withdraw, _received: Received) -> None:
        for task in request.tasks:
            record = self._tasks.get(task)
            if record and not record.has_started:
                self._settlement.withdraw(record)

    def _cancel(self, request: Cancel, _received: Received) -> None:
        for task in request.tasks:
            record = self._tasks.get(task)
            if record:
                self._settlement.cancel(record)

    def _policy(self, request: Policy, _received: Received) -> None:
        self._models.policies[request.model] = request

    def _credit(self, request: Credit, _received: Received) -> None:
        for credit in request.tasks:
            record = self._tasks.get(credit.task)
            if record:
                self._settlement.give_credit(record, credit.items)

    def _stats(self, _request: Stats, received: Received) -> None:
        self._connection.tell(self._statistics.report(), received.request_id)

    def _recall(self, request: SlabRecall, received: Received) -> None:
        self._connection.tell(SlabsDropped(self._large.drop(request.slabs)), received.request_id)

    def _taken_by_the_reader(self, _request: Request, _received: Received) -> None:
        """Nothing is left to do but to acknowledge it."""

    def _shut_down(self, _request: Shutdown, _received: Received) -> None:
        self.is_shut_down = True

    def _refuse(self, received: Received, code: str, message: str, *, retryable: bool = False) -> None:
        self._connection.tell(Error(code, message, retryable), received.request_id)


def _code_of_refused_load(error: Exception) -> FailureCode:
    if isinstance(error, StaleModel):
        return "stale_model"
    return "out_of_memory" if isinstance(error, OutOfMemory | MemoryError) else "engine_error"


def _forget_tracebacks(error: BaseException) -> None:
    """They hold what was half loaded, those of its causes too."""
    each: BaseException | None = error
    # Exceptions may be each other's causes; one without a traceback has been seen.
    while each is not None and each.__traceback__ is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
