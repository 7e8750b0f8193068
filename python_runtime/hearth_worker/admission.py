"""A task arrives: its program is found, its request read, its state made."""

import logging
import re

from msgspec import ValidationError, convert

from hearth_worker.failures import (
    ArtifactMissing,
    FailureCode,
    InvalidRequest,
    OutOfMemory,
    StaleModel,
    staying_alive,
    words_of,
)
from hearth_worker.models import Models, NotRunnable
from hearth_worker.protocol.requests import Task
from hearth_worker.report import Report
from hearth_worker.tasks import TaskRecord, Tasks

# Where msgspec says what is wrong: it puts the place last, as a path from the whole request.
PLACE = re.compile(r"^(.*) - at `\$\.?(.+)`$", re.DOTALL)

logger = logging.getLogger(__name__)


class Admission:
    """Tasks that cannot even start fail here, each with its reason."""

    def __init__(self, models: Models, tasks: Tasks, report: Report) -> None:
        self._models = models
        self._tasks = tasks
        self._report = report

    def admit(self, task: Task, at: float) -> None:
        """`at` is when it came: its deadline counts from there."""
        try:
            record = self._record(task, at)
        except ValidationError as error:
            self._fail(task, "invalid_request", _named(words_of(error)))
        except InvalidRequest as error:
            self._fail(task, "invalid_request", words_of(error))
        except ArtifactMissing as error:
            self._fail(task, "artifact_missing", words_of(error))
        except StaleModel as error:
            self._fail(task, "stale_model", words_of(error), retryable=True)
        except NotRunnable as error:
            self._fail(task, "engine_error", words_of(error), retryable=True)
        except (OutOfMemory, MemoryError) as error:
            self._fail(
                task, "out_of_memory", f"The task's state does not fit into memory: {words_of(error)}", retryable=True
            )
        except Exception as error:
            logger.exception("Task %d of program %s cannot start.", task.task, task.program)
            self._fail(task, "engine_error", f"The task cannot start: {words_of(error)}")
        else:
            self._tasks.add(record)

    def _record(self, task: Task, at: float) -> TaskRecord:
        bound = self._models.bind(task.model, task.program, task.components)
        with staying_alive():
            state = bound.program.start(convert(task.request, bound.program.request_type))
        return TaskRecord(task, bound, state, at)

    def _fail(self, task: Task, code: FailureCode, message: str, *, retryable: bool = False) -> None:
        self._report.failed(task.task, code, message, retryable=retryable)


def _named(words: str) -> str:
    """The parameter first: `parameters.top`: Expected `int` <= 100."""
    place = PLACE.match(words)
    return f"`{place[2]}`: {place[1]}." if place else words
