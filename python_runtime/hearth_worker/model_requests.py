"""What the server asks of models: to load, to leave, and how their steps are composed (PROTOCOL.md section 4)."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hearth_worker import memory
from hearth_worker.activity import Activity
from hearth_worker.admission import Admission
from hearth_worker.clock import now_ms
from hearth_worker.connection import Connection
from hearth_worker.failures import FailureCode, LoadFailed, OutOfMemory, StaleModel, words_of
from hearth_worker.held_outputs import HeldOutputs
from hearth_worker.inbox import Received
from hearth_worker.models import Models
from hearth_worker.programs.outcomes import Failed
from hearth_worker.protocol.reports import ComponentLoaded, Error, Unloaded
from hearth_worker.protocol.requests import Load, Policy, Request, Unload
from hearth_worker.report import Report
from hearth_worker.settle import Settlement
from hearth_worker.stage_slices import StageSlices
from hearth_worker.tasks import Tasks

logger = logging.getLogger(__name__)


class ModelRequests:
    """One method for each."""

    def __init__(
        self,
        connection: Connection,
        activity: Activity,
        models: Models,
        tasks: Tasks,
        held: HeldOutputs,
        report: Report,
        slices: StageSlices,
        settlement: Settlement,
        admission: Admission,
    ) -> None:
        self._connection = connection
        self._activity = activity
        self._models = models
        self._tasks = tasks
        self._held = held
        self._report = report
        self._slices = slices
        self._settlement = settlement
        self._admission = admission
        self.methods: dict[type[Request], Callable[[Any, Received], None]] = {
            Load: self._load,
            Unload: self._unload,
            Policy: self._policy,
        }

    def tell_load_news(self) -> None:
        """What has become of loads that are under way; called when the loop is woken."""
        if not self._models.has_load_news():
            return
        with self._long_work():
            for news in self._models.load_news():
                if isinstance(news, ComponentLoaded):
                    self._connection.tell(news)
                elif isinstance(news.result, Exception):
                    self._drop_all_of(news.model, news.result)
                    self._refuse_load(news.model, news.request_id, news.result)
                else:
                    self._connection.tell(news.result, news.request_id)
            self._admission.admit_expected()

    def _load(self, request: Load, received: Received) -> None:
        with self._long_work():
            try:
                self._models.begin_load(request, received.request_id)
            except Exception as error:
                self._refuse_load(request.model, received.request_id, error)

    def _drop_all_of(self, model: int, error: Exception) -> None:
        """Of a model that could not be loaded whole: tasks that ran on what was there of it, or waited for the rest."""
        failure = Failed(_code_of_refused_load(error), f"The model was not loaded: {words_of(error)}", retryable=True)
        for record in self._tasks.all():
            if record.model == model:
                self._settlement.fail(record, failure)
        self._held.drop_of_model(model)

    def _refuse_load(self, model: int, request_id: int, error: Exception) -> None:
        code = _code_of_refused_load(error)
        if not isinstance(error, LoadFailed | StaleModel):
            logger.warning("Model %d cannot be loaded.", model, exc_info=error)
        _forget_tracebacks(error)
        memory.give_back()
        self._refuse(request_id, code, words_of(error), retryable=code != "engine_error")

    def _unload(self, request: Unload, received: Received) -> None:
        model, request_id = request.model, received.request_id
        count = self._tasks.count_of(model)
        if model not in self._models:
            self._refuse(request_id, "not_loaded", f"Model {model} is not loaded in this worker.")
        elif self._models.is_loading(model):
            self._refuse(request_id, "in_use", f"Model {model} is being loaded.")
        elif count > 0:
            self._refuse(request_id, "in_use", f"Model {model} still has {count} tasks.")
        else:
            self._held.drop_of_model(model)
            with self._long_work():
                private_bytes = self._models.unload(model)
            self._report.step_times.forget(model)
            self._connection.tell(Unloaded(model, private_bytes), request_id)

    @contextmanager
    def _long_work(self) -> Iterator[None]:
        """Loading and freeing take long: what is known leaves first, and the reader acknowledges what comes."""
        self._report.leave(now_ms())
        self._activity.is_in_long_step = True
        self._connection.acknowledge()
        try:
            yield
        finally:
            self._activity.is_in_long_step = False

    def _policy(self, request: Policy, _received: Received) -> None:
        self._models.policies[request.model] = request
        if request.inference_share is not None:
            self._slices.inference_share = request.inference_share

    def _refuse(self, request_id: int, code: str, message: str, *, retryable: bool = False) -> None:
        self._connection.tell(Error(code, message, retryable), request_id)


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
