"""States that are written down, and tasks that go on from them."""

from typing import Any

import pytest

from hearth_worker.checkpoints import SAVED_BYTES_MAX
from hearth_worker.protocol.reports import Checkpointed, Error, Log
from tests.support.requests import noop_task, task
from tests.support.worker_harness import WorkerHarness, noop_worker

CHECKPOINT, RESTORE = 15, 16


def test_a_task_is_saved_every_so_many_steps(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables, checkpointSteps=5) as worker:
        # Long enough for each step to leave in a report of its own.
        worker.admit(patient(1, steps=16, stepMs=15))
        worker.wait_for_end_of(1)
        assert [(each.step, steps_in(each)) for each in checkpoints(worker)] == [(5, 5), (10, 10), (15, 15)]


@pytest.mark.parametrize("every", [None, 0])
def test_without_a_number_of_steps_there_are_none(third_party_variables: dict[str, str], every: int | None) -> None:
    with noop_worker(third_party_variables, checkpointSteps=every) as worker:
        worker.admit(patient(1, steps=20))
        worker.wait_for_end_of(1)
        assert checkpoints(worker) == []


def test_what_a_checkpoint_has_behind_it_was_said_before(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables, checkpointSteps=1) as worker:
        worker.admit(patient(1, steps=6, stepMs=15))
        worker.wait_for_end_of(1)
        said = 0
        for _, report in worker.heard:
            if isinstance(report, Checkpointed):
                assert report.step <= said
            for entry in getattr(report, "entries", []):
                said = getattr(entry, "done", said)


def test_the_newest_of_a_report_wins_and_the_last_step_needs_none(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables, checkpointSteps=1) as worker:
        worker.admit(patient(1, steps=500))
        worker.wait_for_end_of(1)
        steps = [each.step for each in checkpoints(worker)]
        assert steps == sorted(set(steps))
        assert 500 not in steps


def test_a_task_is_saved_when_it_is_asked_for(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(patient(1, steps=1_000_000, stepMs=1), noop_task(2, {"steps": 1_000_000, "stepMs": 1}))
        worker.wait_for_entry("step", 1)
        worker.send(CHECKPOINT, {"tasks": [1, 2, 4711]})
        assert worker.wait_for(Checkpointed).task == 1


def test_a_task_that_has_not_started_is_not_saved(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables, batch_limit=2, hold_ms=60_000) as worker:
        worker.admit(patient(1, steps=3))
        worker.acknowledged(worker.send(CHECKPOINT, {"tasks": [1]}))
        worker.set_policy(1, 2)
        worker.wait_for_end_of(1)
        assert checkpoints(worker) == []


def test_a_state_that_is_too_large_is_told_of_once_and_its_task_goes_on(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables, checkpointSteps=1) as worker:
        worker.admit(patient(1, steps=5, savedBytes=SAVED_BYTES_MAX + 1), patient(2, steps=5, savedBytes=64))
        worker.wait_for_end_of(1, 2)
        assert {each.task for each in checkpoints(worker)} <= {2}
        assert len([report for _, report in worker.heard if isinstance(report, Log)]) == 1


def test_the_largest_state_that_is_allowed_is_saved(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables, checkpointSteps=1) as worker:
        worker.admit(patient(1, steps=2, stepMs=20, savedBytes=SAVED_BYTES_MAX))
        worker.wait_for_end_of(1)
        assert [len(each.saved) for each in checkpoints(worker)] == [SAVED_BYTES_MAX]


def test_a_task_goes_on_from_what_was_saved_of_it(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables, checkpointSteps=5) as worker:
        worker.send(RESTORE, {"tasks": [patient(1, steps=16, stepMs=15) | {"saved": (7).to_bytes(8, "little")}]})
        end = worker.wait_for_end_of(1)[1]
        assert (end["output"]["restoredAt"], end["stepsRun"]) == (7, 9)
        # Of the task, not of this worker.
        assert [each.step for each in checkpoints(worker)] == [12]


def test_a_restored_task_that_has_run_no_step_yet_is_not_saved_again(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.send(RESTORE, {"tasks": [patient(1, steps=16, stepMs=20_000) | {"saved": (7).to_bytes(8, "little")}]})
        worker.wait_for_entry("started", 1)
        worker.send(13, {"tasks": [1]})
        worker.wait_for_entry("paused", 1)
        assert checkpoints(worker) == []


def test_a_program_that_saves_nothing_begins_again() -> None:
    with noop_worker() as worker:
        worker.send(RESTORE, {"tasks": [noop_task(1, {"steps": 3}) | {"saved": b"whatever"}]})
        assert worker.wait_for_end_of(1)[1]["stepsRun"] == 3


def test_a_saved_state_that_cannot_be_read_is_no_failure(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.send(RESTORE, {"tasks": [patient(1, steps=3) | {"saved": (99).to_bytes(8, "little")}]})
        end = worker.wait_for_end_of(1)[1]
        assert (end["kind"], end["stepsRun"]) == ("done", 3)
        assert "99 steps of 3" in worker.wait_for(Log).message


def test_what_is_wrong_with_a_restored_task_is_told_as_with_any_other(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        saved = {"saved": b""}
        worker.send(RESTORE, {"tasks": [patient(1, steps="many") | saved, patient(2, inputs={"encode": 9}) | saved]})
        ends = worker.wait_for_end_of(1, 2)
        assert [ends[number]["code"] for number in (1, 2)] == ["invalid_request", "input_missing"]


def test_a_task_is_admitted_once_in_either_way(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(patient(1, steps=1_000_000, stepMs=1))
        refused = worker.answer_to(worker.send(RESTORE, {"tasks": [patient(1) | {"saved": b""}]}))
        assert isinstance(refused, Error)
        assert refused.code == "duplicate_task"


def test_items_that_wait_for_credit_are_in_no_checkpoint(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(noop_task(1, {"items": 10}, credit=0), patient(2, steps=2, stepMs=15))
        worker.acknowledged(worker.send(CHECKPOINT, {"tasks": [1]}))
        worker.wait_for_end_of(2)
        assert checkpoints(worker) == []


def patient(number: int, *, inputs: dict[str, int] | None = None, **request: Any) -> dict[str, Any]:
    """A task that can be saved."""
    return task(number, program="patient", request=request or {"steps": 1}, inputs=inputs)


def checkpoints(worker: WorkerHarness) -> list[Checkpointed]:
    """Heard so far."""
    return [report for _, report in worker.heard if isinstance(report, Checkpointed)]


def steps_in(checkpoint: Checkpointed) -> int:
    """As the program wrote them down."""
    return int.from_bytes(checkpoint.saved[:8], "little")
