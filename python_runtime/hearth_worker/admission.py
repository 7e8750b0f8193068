"""A task arrives: its program is found, its request read, its inputs taken, its state made."""

import logging
import re
from collections.abc import Mapping

from msgspec import ValidationError, convert

from hearth_worker.bound_program import BoundProgram
from hearth_worker.failures import (
    ArtifactMissing,
    FailureCode,
    InputMissing,
    InvalidRequest,
    OutOfMemory,
    StaleModel,
    staying_alive,
    words_of,
)
from hearth_worker.held_outputs import HeldOutputs
from hearth_worker.models import Models, NotRunnable
from hearth_worker.programs.expected import Expected
from hearth_worker.programs.registry import AnyProgram
from hearth_worker.protocol.requests import SavedTask, Task
from hearth_worker.report import Report
from hearth_worker.tasks import TaskRecord, Tasks

# Where msgspec says what is wrong: it puts the place last, as a path from the whole request.
PLACE = re.compile(r"^(.*) - at `\$\.?(.+)`$", re.DOTALL)

logger = logging.getLogger(__name__)


class Admission:
    """Tasks that cannot even start fail here, each with its reason."""

    def __init__(self, models: Models, tasks: Tasks, held: HeldOutputs, report: Report) -> None:
        self._models = models
        self._tasks = tasks
        self._held = held
        self._report = report
        # Tasks whose components are still being loaded.
        self._expected: list[tuple[Task, TaskRecord]] = []

    def admit(self, task: Task, at: float) -> None:
        """`at` is when it came: its deadline counts from there. A SavedTask goes on from what was saved of it."""
        inputs = self._inputs_of(task)
        if inputs is None:
            return
        if self._models.expects(task.model, task.components):
            record = TaskRecord(task, BoundProgram(0, task.model, Expected()), inputs, at)
            self._tasks.add(record)
            self._expected.append((task, record))
        elif begun := self._begun(task, inputs):
            self._tasks.add(TaskRecord(task, *begun, at))

    def admit_expected(self) -> None:
        """Has tasks begin whose components have come meanwhile; fails those whose components will not come any more."""
        expected, self._expected = self._expected, []
        for task, record in expected:
            if self._tasks.get(task.task) is not record:
                continue
            if self._models.expects(task.model, task.components):
                self._expected.append((task, record))
                continue
            assert isinstance(record.state, Mapping), "it has nothing but its inputs yet"
            if begun := self._begun(task, record.state):
                record.begin(*begun)
                self._tasks.place(record)
            else:
                self._tasks.remove(record)

    def _inputs_of(self, task: Task) -> Mapping[str, object] | None:
        """What it follows, from now on its own. None: it is not here, and the task has been failed."""
        try:
            return self._held.take(task.inputs or {})
        except InputMissing as error:
            self._fail(task, "input_missing", words_of(error), retryable=True)
            return None

    def _begun(self, task: Task, inputs: Mapping[str, object]) -> tuple[BoundProgram, object] | None:
        """Its program and its first state. None: it cannot start, and has been failed."""
        try:
            return self._program_and_state(task, inputs)
        except ValidationError as error:
            self._fail(task, "invalid_request", _named(words_of(error)))
        except InvalidRequest as error:
            self._fail(task, "invalid_request", words_of(error))
        except ArtifactMissing as error:
            self._fail(task, "artifact_missing", words_of(error))
        except InputMissing as error:
            self._fail(task, "input_missing", words_of(error), retryable=True)
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
        return None

    def _program_and_state(self, task: Task, inputs: Mapping[str, object]) -> tuple[BoundProgram, object]:
        bound = self._models.bind(task.model, task.program, task.components)
        with staying_alive():
            request: object = convert(task.request, bound.program.request_type)
            state = _restored(task, bound.program, request, inputs) if isinstance(task, SavedTask) else None
            if state is None:
                state = bound.program.start_after(request, inputs)
        return bound, state

    def _fail(self, task: Task, code: FailureCode, message: str, *, retryable: bool = False) -> None:
        self._report.failed(task.task, code, message, retryable=retryable)


def _restored(task: SavedTask, program: AnyProgram, request: object, inputs: Mapping[str, object]) -> object | None:
    """The saved state; None where it cannot be read, as after a change of the program: it only saves time."""
    try:
        state: object = program.restore_after(request, inputs, task.saved)
    except (InvalidRequest, ArtifactMissing, InputMissing, StaleModel, OutOfMemory, MemoryError):
        raise
    except Exception:
        logger.exception("The saved state of task %d cannot be read; it begins again.", task.task)
        return None
    return state


def _named(words: str) -> str:
    """The parameter first: `parameters.top`: Expected `int` <= 100."""
    place = PLACE.match(words)
    return f"`{place[2]}`: {place[1]}." if place else words
