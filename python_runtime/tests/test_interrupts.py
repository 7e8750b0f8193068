"""Steps of batch work that end early because something more urgent has come."""

from collections.abc import Iterator
from math import inf
from threading import Thread
from time import sleep
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from msgspec import convert
from msgspec.structs import replace

from hearth_worker.activity import Activity
from hearth_worker.bound_program import BoundProgram
from hearth_worker.clock import now_ms
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.none import NothingLoaded
from hearth_worker.failures import Interrupted
from hearth_worker.interrupts import IN_A_ROW_MAX, Ask, InterruptibleStep, Interrupts, interruptible_step
from hearth_worker.programs.noop import Noop
from hearth_worker.programs.registry import AnyProgram
from hearth_worker.protocol.requests import Policy, Task
from hearth_worker.run_step import run_step
from hearth_worker.step_runner import StepRunner
from hearth_worker.tasks import TaskRecord
from tests.support.patient_programs import Patient, PatientState
from tests.support.requests import noop_task, task
from tests.support.worker_harness import WorkerHarness, noop_worker

LONG_MS = 20_000
POLICY = Policy(1, batch_limit=8, hold_ms=0, interactive_first=True, interrupt_after_ms=5)


class Counting:
    """A program that counts how often it was interrupted."""

    def __init__(self) -> None:
        self.interruptions = 0
        self.cleared = 0

    def interrupt(self) -> None:
        self.interruptions += 1

    def clear_interrupt(self) -> None:
        self.cleared += 1


@pytest.fixture
def program() -> Counting:
    return Counting()


def step_of(
    program: object,
    ends_in_ms: float = LONG_MS,
    requests_taken: int = 3,
    interruptions: dict[int, int] | None = None,
    *,
    gives_way: bool = True,
) -> InterruptibleStep:
    counts = {1: 0} if interruptions is None else interruptions
    return InterruptibleStep(cast("AnyProgram", program), now_ms() + ends_in_ms, 5, requests_taken, counts, gives_way)


def during(interrupts: Interrupts, step: InterruptibleStep | None, requests_taken: int = 3) -> Any:
    return interrupts.during(step, requests_taken if step is None else step.requests_taken)


def test_a_step_is_interrupted_by_what_comes_while_it_runs(program: Counting) -> None:
    interrupts = Interrupts()
    with during(interrupts, step_of(program)) as may_begin:
        assert may_begin
        interrupts.ask(Ask(4))
        assert program.cleared == 0
    assert (program.interruptions, program.cleared) == (1, 1)


def test_an_interrupt_that_comes_when_the_step_has_ended_does_nothing(program: Counting) -> None:
    interrupts = Interrupts()
    with during(interrupts, step_of(program)):
        pass
    interrupts.ask(Ask(4))
    with during(interrupts, None):
        interrupts.ask(Ask(5))
    assert program.interruptions == 0


def test_what_came_between_the_choice_and_the_step_keeps_it_from_beginning(program: Counting) -> None:
    interrupts = Interrupts()
    interrupts.ask(Ask(4))
    with during(interrupts, step_of(program, requests_taken=3)) as may_begin:
        assert not may_begin
    with during(interrupts, step_of(program, requests_taken=4)) as may_begin:
        assert may_begin
    with during(interrupts, None) as may_begin:
        assert may_begin
    assert program.interruptions == 0


def test_what_the_loop_had_taken_before_the_step_does_not_interrupt_it(program: Counting) -> None:
    interrupts = Interrupts()
    with during(interrupts, step_of(program, requests_taken=4)):
        interrupts.ask(Ask(4))
    assert program.interruptions == 0


def test_a_step_that_is_nearly_over_is_left_alone(program: Counting) -> None:
    interrupts = Interrupts()
    with during(interrupts, replace(step_of(program), after_ms=2 * LONG_MS)):
        interrupts.ask(Ask(4))
    with during(interrupts, step_of(program, ends_in_ms=inf, requests_taken=4)):
        interrupts.ask(Ask(5))
    assert program.interruptions == 1


def test_a_step_that_should_have_ended_already_is_as_one_of_unknown_length(program: Counting) -> None:
    interrupts = Interrupts()
    with during(interrupts, step_of(program, ends_in_ms=-1)):
        interrupts.ask(Ask(4))
    assert program.interruptions == 1


def test_a_program_that_cannot_be_interrupted_after_all_harms_nobody() -> None:
    interrupts = Interrupts()
    with during(interrupts, step_of(SimpleNamespace(interrupt=lambda: 1 / 0))):
        interrupts.ask(Ask(4))


def test_no_step_is_interrupted_but_the_one_that_was_meant() -> None:
    """A reader that asks all the time, as fast as it can; each interrupt has to reach the step that runs."""
    interrupts = Interrupts()
    running = 0
    requests = 0
    heard: list[bool] = []

    class Numbered:
        def __init__(self, number: int) -> None:
            self.number = number

        def interrupt(self) -> None:
            heard.append(self.number == running)

        def clear_interrupt(self) -> None: ...

    def ask() -> None:
        nonlocal requests
        while len(heard) < 200:
            requests += 1
            interrupts.ask(Ask(requests))

    reader = Thread(target=ask)
    reader.start()
    number = 0
    while reader.is_alive():
        number += 1
        step = step_of(Numbered(number), requests_taken=requests)
        running = number
        with during(interrupts, step):
            sleep(0)
        running = 0
    assert all(heard)


def test_a_real_step_ends_when_another_thread_asks_and_its_states_are_as_before() -> None:
    patient, state = patient_and_state()
    interrupts = Interrupts()
    reader = Thread(target=lambda: ask_once_it_waits(interrupts, patient))
    reader.start()
    with during(interrupts, step_of(patient)):
        (outcome,) = run_step(patient.step, [state])
    reader.join()
    assert isinstance(outcome, Interrupted)
    assert state.steps_done == 0


def test_what_comes_before_the_program_computes_interrupts_it_all_the_same() -> None:
    patient, state = patient_and_state()
    interrupts = Interrupts()
    with during(interrupts, step_of(patient)):
        interrupts.ask(Ask(4))
        assert isinstance(run_step(patient.step, [state])[0], Interrupted)
    assert interrupts.has_interrupted


def test_what_comes_when_the_program_has_computed_does_not_reach_its_next_step() -> None:
    patient, state = patient_and_state(step_ms=1)
    interrupts = Interrupts()
    with during(interrupts, step_of(patient)):
        outcomes = [*run_step(patient.step, [state])]
        interrupts.ask(Ask(4))
    with during(interrupts, step_of(patient, requests_taken=4)):
        outcomes += run_step(patient.step, [state])
        assert not interrupts.has_interrupted
    assert not [outcome for outcome in outcomes if isinstance(outcome, Interrupted)]


def test_what_was_asked_when_no_step_began_is_not_kept() -> None:
    interrupts = Interrupts()
    for number in range(1, 101):
        interrupts.ask(Ask(number))
        interrupts.forget(number - 1)
    assert interrupts._asked == [Ask(100)]


def patient_and_state(step_ms: float = LONG_MS) -> tuple[Patient, PatientState]:
    """Of one step."""
    patient = Patient(NothingLoaded(Manifest("noop", "none")), [])
    return patient, patient.start(convert({"stepMs": step_ms}, Patient.request_type))


def ask_once_it_waits(interrupts: Interrupts, patient: Patient) -> None:
    """Once its step has begun."""
    while not patient.began:
        sleep(0)
    interrupts.ask(Ask(4))


def test_a_task_is_not_started_by_a_step_that_need_not_even_begin() -> None:
    interrupts, report, waiting = Interrupts(), Mock(due_at=lambda: None), record()
    models = Mock(policies={1: POLICY})
    models.change_of.return_value = None
    inbox = Mock(requests_taken=3)
    runner = StepRunner(Mock(), inbox, Activity(), models, Mock(), report, Mock(), interrupts, Mock())
    _, waiting.state = patient_and_state()
    interrupts.ask(Ask(4))
    runner.run([waiting])
    assert (waiting.has_started, waiting.interruptions) == (False, 1)
    report.started.assert_not_called()


def record(number: int = 1, program: type[Any] = Patient, task_class: str = "batch") -> TaskRecord:
    bound = BoundProgram(1, 1, program(NothingLoaded(Manifest("noop", "none")), []))
    return TaskRecord(convert(noop_task(number, task_class=task_class), Task), bound, None, at=0)


def test_only_a_step_of_batch_work_makes_way() -> None:
    alone = interruptible_step([record(1), record(2)], POLICY, 100, 7)
    mixed = interruptible_step([record(1), record(2, task_class="interactive")], POLICY, 100, 7)
    assert alone is not None
    assert alone.is_asked(Ask(8))
    assert mixed is not None
    assert not mixed.is_asked(Ask(8))


def test_a_program_that_does_not_allow_it_is_not_interrupted() -> None:
    assert not interruptible_step([record(program=Noop)], POLICY, 100, 7)


def test_a_policy_says_whether_steps_are_interrupted_and_whether_interactive_work_goes_first() -> None:
    never = Policy(1, batch_limit=8, hold_ms=0, interactive_first=True)
    equal = Policy(1, batch_limit=8, hold_ms=0, interactive_first=False, interrupt_after_ms=5)
    assert not interruptible_step([record()], never, 100, 7)
    step = interruptible_step([record()], equal, 100, 7)
    assert step is not None
    assert not step.is_asked(Ask(8))
    assert step.is_asked(Ask(8, frozenset({1})))


def test_who_takes_a_task_out_of_a_step_does_not_wait_for_its_end(program: Counting) -> None:
    interrupts = Interrupts()
    with during(interrupts, step_of(program, interruptions={1: 0, 2: 0}, gives_way=False)):
        interrupts.ask(Ask(4, frozenset({3})))
        assert program.interruptions == 0
        interrupts.ask(Ask(5, frozenset({2, 3})))
    assert program.interruptions == 1


def test_others_are_not_interrupted_again_and_again_for_one_that_leaves() -> None:
    often = {1: IN_A_ROW_MAX, 2: 0}
    assert not step_of(object(), interruptions=often).is_asked(Ask(4, frozenset({2})))
    assert step_of(object(), interruptions=often).is_asked(Ask(4, frozenset({1})))
    assert not step_of(object(), interruptions=often).is_asked(Ask(4))


def test_a_step_of_unknown_length_is_taken_for_a_long_one() -> None:
    step = interruptible_step([record()], POLICY, None, 7)
    assert step is not None
    assert step.ends_at == inf


def test_after_three_times_in_a_row_a_step_runs_to_its_end() -> None:
    often = record(2)
    often.interruptions = IN_A_ROW_MAX
    step = interruptible_step([record(1), often], POLICY, 100, 7)
    assert step is not None
    assert not step.is_asked(Ask(8))


@pytest.fixture
def worker(third_party_variables: dict[str, str]) -> Iterator[WorkerHarness]:
    with noop_worker(third_party_variables) as worker:
        yield worker


def patient(number: int, task_class: str = "batch", **request: Any) -> dict[str, Any]:
    return task(number, program="patient", request=request, task_class=task_class)


def test_an_interactive_task_does_not_wait_for_a_long_step_of_batch_work(worker: WorkerHarness) -> None:
    worker.admit(patient(1, stepMs=LONG_MS))
    worker.wait_for_entry("started", 1)
    worker.admit(noop_task(2))
    assert worker.wait_for_end_of(2)[2]["kind"] == "done"
    assert worker.kinds_of(1) == ["started"]


def test_a_restored_one_does_not_wait_either(worker: WorkerHarness) -> None:
    worker.admit(patient(1, stepMs=LONG_MS))
    worker.wait_for_entry("started", 1)
    worker.send(16, {"tasks": [noop_task(2) | {"saved": b""}]})
    assert worker.wait_for_end_of(2)[2]["kind"] == "done"


def test_an_interrupted_step_is_run_again_and_fails_nobody(worker: WorkerHarness) -> None:
    worker.admit(patient(1, steps=2, stepMs=700))
    worker.wait_for_entry("started", 1)
    worker.admit(noop_task(2))
    worker.wait_for_end_of(2)
    assert worker.kinds_of(1) == ["started"]
    end = worker.wait_for_end_of(1)[1]
    assert (end["kind"], end["stepsRun"]) == ("done", 2)
    assert worker.kinds_of(1).count("started") == 1


def test_what_comes_again_and_again_does_not_hold_up_a_step_for_ever(worker: WorkerHarness) -> None:
    worker.admit(patient(1, steps=1, stepMs=1000))
    number = 1
    while "done" not in worker.kinds_of(1):
        number += 1
        worker.admit(noop_task(number))
        worker.wait_for_end_of(number)
    assert worker.wait_for_end_of(1)[1]["output"]["interruptions"] <= IN_A_ROW_MAX


@pytest.mark.parametrize("later", [noop_task(2, task_class="batch"), patient(2, "batch")])
def test_batch_work_interrupts_nobody(worker: WorkerHarness, later: dict[str, Any]) -> None:
    worker.admit(patient(1, stepMs=300))
    worker.wait_for_entry("started", 1)
    worker.admit(later)
    assert worker.wait_for_end_of(1, 2)[1]["output"]["interruptions"] == 0


def test_interactive_work_is_not_interrupted(worker: WorkerHarness) -> None:
    worker.admit(patient(1, "interactive", stepMs=300))
    worker.wait_for_entry("started", 1)
    worker.admit(noop_task(2))
    assert worker.wait_for_end_of(1, 2)[1]["output"]["interruptions"] == 0


@pytest.mark.parametrize(("request_type", "end"), [(13, "paused"), (5, "cancelled")])
def test_pausing_and_cancelling_do_not_wait_for_a_long_step(worker: WorkerHarness, request_type: int, end: str) -> None:
    worker.admit(patient(1, "interactive", stepMs=LONG_MS))
    worker.wait_for_entry("started", 1)
    worker.send(request_type, {"tasks": [1]})
    worker.wait_for_entry(end, 1)
    assert worker.kinds_of(1) == ["started", end]


def test_what_shared_a_step_with_a_paused_task_goes_on_without_it(worker: WorkerHarness) -> None:
    worker.admit(patient(1, stepMs=1000), patient(2, stepMs=1000))
    worker.wait_for_entry("started", 2)
    worker.send(13, {"tasks": [1]})
    worker.wait_for_entry("paused", 1)
    assert worker.wait_for_end_of(2)[2]["kind"] == "done"
    assert worker.kinds_of(1) == ["started", "paused"]


def test_batch_work_does_not_join_the_step_of_interactive_work(worker: WorkerHarness) -> None:
    worker.admit(patient(1, stepMs=300), patient(2, "interactive", stepMs=300))
    assert worker.wait_for_end_of(1, 2)[2]["output"]["began"] == 1
    assert worker.progress() == 2


def test_an_interrupted_step_is_repeated_behind_what_has_come(worker: WorkerHarness) -> None:
    worker.admit(patient(1, steps=1, stepMs=500))
    worker.wait_for_entry("started", 1)
    worker.admit(patient(2, "interactive"))
    ends = worker.wait_for_end_of(1, 2)
    assert (ends[2]["output"]["began"], ends[1]["output"]["began"]) == (2, 3)
    assert worker.progress() == 3
