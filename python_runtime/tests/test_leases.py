"""A worker that may not step for a while does everything else."""

from typing import Any

import pytest

from hearth_worker.lease import Lease
from hearth_worker.protocol.reports import Loaded, Pong, Revoked
from tests.support.requests import noop_task, task
from tests.support.worker_harness import WorkerHarness, noop_worker

GRANT, REVOKE = 11, 12


def test_a_worker_begins_with_the_lease_and_steps_no_more_when_it_is_gone() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}))
        worker.wait_for_entry("started", 1)
        revoke(worker)
        steps = worker.progress()
        worker.admit(noop_task(2))
        assert worker.progress() == steps
        worker.send(GRANT)
        assert worker.wait_for_end_of(2)[2]["kind"] == "done"
        assert worker.progress() > steps


def test_the_running_step_is_finished_first_and_its_length_told() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"stepMs": 200}))
        worker.wait_for_entry("started", 1)
        assert 150 <= revoke(worker).step_ms <= 2000
        assert worker.kinds_of(1) == ["started", "done"]


def test_where_no_step_runs_it_is_given_up_at_once() -> None:
    with noop_worker() as worker:
        assert revoke(worker).step_ms == 0
        assert revoke(worker).step_ms == 0
        worker.admit(noop_task(1))
        worker.send(GRANT)
        worker.acknowledged(worker.send(GRANT))
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"


def test_a_long_step_of_batch_work_is_interrupted(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(task(1, program="patient", request={"stepMs": 20_000}, task_class="batch"))
        worker.wait_for_entry("started", 1)
        assert revoke(worker).step_ms < 10_000
        assert worker.kinds_of(1) == ["started"]


def test_everything_else_goes_on_without_the_lease(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}), noop_task(2, {"steps": 1_000_000, "stepMs": 1}))
        worker.wait_for_entry("started", 2)
        revoke(worker)
        worker.admit(noop_task(3, deadlineMs=20), noop_task(4), noop_task(5, {"steps": "many"}))
        worker.send(4, {"tasks": [4]})
        worker.send(5, {"tasks": [1]})
        worker.send(13, {"tasks": [2]})
        ends = worker.wait_for_end_of(1, 3, 4, 5)
        assert {n: end.get("code", end["kind"]) for n, end in ends.items()} == {
            1: "cancelled",
            3: "deadline_exceeded",
            4: "withdrawn",
            5: "invalid_request",
        }
        worker.wait_for_entry("paused", 2)
        worker.load_noop(2)
        assert isinstance(worker.answer_to(worker.send(8)), Pong)
        assert len([report for _, report in worker.heard if isinstance(report, Loaded)]) == 2


def test_engines_that_compute_between_steps_stop_for_batch_work(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(task(1, program="thinker", task_class="batch"))
        worker.wait_for_entry("step", 1)
        wait_until_busy(worker, is_busy=True)
        revoke(worker)
        wait_until_busy(worker, is_busy=False)
        worker.send(GRANT)
        assert wait_for_thought(worker, 2) == 2
        wait_until_busy(worker, is_busy=True)


def test_engines_go_on_for_interactive_work(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(task(1, program="thinker"))
        worker.wait_for_entry("step", 1)
        revoke(worker)
        wait_until_busy(worker, is_busy=True)


@pytest.mark.parametrize(("at", "expected"), [(9, 0), (10, 5), (12, 5), (15, 5), (16, 0)])
def test_the_step_that_ran_at_a_time_is_told_from_others(at: float, expected: float) -> None:
    lease = Lease()
    assert lease.step_ms_at(at) == 0
    lease.step_ended(10, 15)
    assert lease.step_ms_at(at) == expected


def revoke(worker: WorkerHarness) -> Revoked:
    """The lease is gone."""
    answer = worker.answer_to(worker.send(REVOKE))
    assert isinstance(answer, Revoked)
    return answer


def wait_until_busy(worker: WorkerHarness, *, is_busy: bool) -> None:
    """Until a PONG says so."""
    while True:
        pong: Any = worker.answer_to(worker.send(8))
        if pong.busy == is_busy:
            return


def wait_for_thought(worker: WorkerHarness, number: int) -> int:
    """Until the engine has begun so often."""
    for entry, _ in worker.entries():
        if entry["kind"] == "step" and entry["done"] >= number:
            return int(entry["done"])
    raise AssertionError("unreachable: entries() raises at the end of the stream")
