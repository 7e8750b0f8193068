"""A task that was withdrawn and admitted again has the deadline of its second admission only."""

from msgspec import convert

from hearth_worker.activity import Activity
from hearth_worker.bound_program import BoundProgram
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.none import NothingLoaded
from hearth_worker.programs.noop import Noop, NoopParameters, NoopState
from hearth_worker.protocol.requests import Task
from hearth_worker.tasks import TaskRecord, Tasks
from tests.support.requests import noop_task


def test_a_task_that_came_again_expires_once() -> None:
    tasks = Tasks(Activity())
    tasks.add(first := admitted(at=0.0))
    tasks.remove(first)
    tasks.add(second := admitted(at=0.2))
    assert tasks.take_expired(31) == [second]
    assert tasks.next_deadline() is None


def test_the_deadline_of_its_first_admission_is_forgotten() -> None:
    tasks = Tasks(Activity())
    tasks.add(first := admitted(at=0.0))
    tasks.remove(first)
    tasks.add(admitted(at=20.0))
    assert tasks.next_deadline() == 50
    assert tasks.take_expired(31) == []


def test_admissions_of_the_same_moment_are_told_apart() -> None:
    tasks = Tasks(Activity())
    tasks.add(first := admitted(at=0.0))
    tasks.remove(first)
    tasks.add(second := admitted(at=0.0))
    assert tasks.take_expired(30) == [second]


def admitted(at: float) -> TaskRecord:
    """Task 1 with 30 ms to live."""
    bound = BoundProgram(1, 1, Noop(NothingLoaded(Manifest("noop", "none")), []))
    return TaskRecord(convert(noop_task(1, deadlineMs=30), Task), bound, NoopState(NoopParameters()), at)
