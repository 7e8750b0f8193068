"""Paused tasks: left out of steps, their states kept, until they go on or end."""

from typing import Any

import pytest

from hearth_worker.protocol.reports import Checkpointed
from tests.support.requests import noop_task, task
from tests.support.worker_harness import WorkerHarness, noop_worker

PAUSE, RESUME, CANCEL, WITHDRAW, CREDIT = 13, 14, 5, 4, 7


def test_a_paused_task_takes_no_step_until_it_is_resumed(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(patient(1, steps=1_000_000, stepMs=1))
        worker.wait_for_entry("step", 1)
        worker.send(PAUSE, {"tasks": [1, 4711]})
        assert worker.wait_for_entry("paused", 1) == {"kind": "paused", "task": 1, "stateBytes": 4096}
        steps = worker.progress()
        worker.admit(noop_task(2))
        worker.wait_for_end_of(2)
        assert worker.progress() == steps + 1
        worker.send(RESUME, {"tasks": [1, 4711]})
        wait_for_step(worker, 1, after=last_step(worker, 1))
        assert worker.kinds_of(1).count("started") == 1


def test_its_state_is_saved_before_it_is_told_as_paused(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(patient(1, steps=1_000_000, stepMs=1))
        worker.wait_for_entry("step", 1)
        worker.send(PAUSE, {"tasks": [1]})
        worker.wait_for_entry("paused", 1)
        order = [name_of(report) for _, report in worker.heard]
        assert order.index("Checkpointed") < order.index("paused")
        (checkpoint,) = (report for _, report in worker.heard if isinstance(report, Checkpointed))
        assert checkpoint.step == int.from_bytes(checkpoint.saved, "little") >= last_step(worker, 1) >= 1


def test_one_that_cannot_be_saved_is_paused_all_the_same(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(patient(1, steps=1_000_000, stepMs=1, savedBytes=0), noop_task(2, {"steps": 10**6, "stepMs": 1}))
        worker.wait_for_entry("step", 1)
        worker.send(PAUSE, {"tasks": [1, 2]})
        worker.wait_for_entry("paused", 1)
        assert worker.wait_for_entry("paused", 2)["stateBytes"] == 0
        assert not [report for _, report in worker.heard if isinstance(report, Checkpointed)]


def test_a_task_that_has_not_started_is_paused_and_may_be_given_back() -> None:
    with noop_worker(batch_limit=2, hold_ms=60_000) as worker:
        worker.admit(noop_task(1))
        worker.send(PAUSE, {"tasks": [1]})
        assert worker.wait_for_entry("paused", 1)["stateBytes"] == 0
        worker.admit(noop_task(2))
        worker.set_policy(1, 2)
        worker.wait_for_end_of(2)
        assert worker.kinds_of(1) == ["paused"]
        worker.send(WITHDRAW, {"tasks": [1]})
        assert worker.wait_for_end_of(1)[1]["kind"] == "withdrawn"


def test_pausing_twice_is_answered_twice_and_resuming_once_is_enough() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}))
        worker.wait_for_entry("started", 1)
        worker.send(PAUSE, {"tasks": [1]})
        worker.send(PAUSE, {"tasks": [1]})
        wait_for_pauses(worker, 2)
        worker.send(RESUME, {"tasks": [1]})
        wait_for_step(worker, 1, after=last_step(worker, 1))


def test_a_task_that_is_paused_and_resumed_at_once_goes_on() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 200, "stepMs": 1}))
        worker.wait_for_entry("started", 1)
        for _ in range(10):
            worker.send(PAUSE, {"tasks": [1]})
            worker.send(RESUME, {"tasks": [1]})
        assert worker.wait_for_end_of(1)[1]["stepsRun"] == 200


@pytest.mark.parametrize("is_started", [True, False])
def test_the_deadline_of_a_paused_task_goes_on(is_started: bool) -> None:
    with noop_worker(batch_limit=2, hold_ms=0 if is_started else 60_000) as worker:
        worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}, deadlineMs=400))
        if is_started:
            worker.wait_for_entry("started", 1)
        worker.send(PAUSE, {"tasks": [1]})
        end = worker.wait_for_end_of(1)[1]
        assert (end["kind"], end["code"]) == ("failed", "deadline_exceeded")


def test_a_paused_task_is_cancelled_at_once_with_what_it_keeps() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}))
        worker.wait_for_entry("started", 1)
        worker.send(PAUSE, {"tasks": [1]})
        worker.send(CANCEL, {"tasks": [1]})
        assert worker.wait_for_end_of(1)[1]["kind"] == "cancelled"
        worker.acknowledged(worker.send(RESUME, {"tasks": [1]}))


def test_one_that_is_done_but_for_its_last_items_ends_when_it_is_resumed() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"items": 10}, credit=4))
        worker.wait_for_entry("started", 1)
        worker.send(PAUSE, {"tasks": [1]})
        worker.wait_for_entry("paused", 1)
        worker.acknowledged(worker.send(CREDIT, {"tasks": [{"task": 1, "items": 100}]}))
        assert "done" not in worker.kinds_of(1)
        worker.send(RESUME, {"tasks": [1]})
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"
        assert worker.items_of(1) == list(range(10))


def test_one_that_waits_for_credit_is_paused_and_goes_on_with_it() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"items": 10_000}, credit=100))
        worker.wait_for_entry("started", 1)
        worker.send(PAUSE, {"tasks": [1]})
        worker.wait_for_entry("paused", 1)
        worker.send(RESUME, {"tasks": [1]})
        worker.send(CREDIT, {"tasks": [{"task": 1, "items": 10_000}]})
        worker.wait_for_end_of(1)
        assert worker.items_of(1) == list(range(10_000))


def test_where_the_engine_computes_between_steps_pausing_frees_its_place(
    third_party_variables: dict[str, str],
) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(task(1, program="thinker"), task(2, program="thinker"))
        worker.wait_for_entry("started", 1)
        worker.send(PAUSE, {"tasks": [1]})
        worker.wait_for_entry("started", 2)
        worker.send(RESUME, {"tasks": [1]})
        worker.send(CANCEL, {"tasks": [2]})
        wait_for_step(worker, 1, after=1)
        assert worker.kinds_of(1).count("started") == 1


def patient(number: int, *, task_class: str = "interactive", **request: Any) -> dict[str, Any]:
    """A task whose steps wait."""
    return task(number, program="patient", request=request, task_class=task_class)


def last_step(worker: WorkerHarness, number: int) -> int:
    """How far the task is, as far as was heard."""
    return max(int(e["done"]) for e in worker.heard_entries() if e["kind"] == "step" and e["task"] == number)


def wait_for_step(worker: WorkerHarness, number: int, *, after: int) -> None:
    """Until the task is further than that."""
    for entry, _ in worker.entries():
        if entry["kind"] == "step" and entry["task"] == number and entry["done"] > after:
            return


def wait_for_pauses(worker: WorkerHarness, count: int) -> None:
    """Until so many were told, of any task."""
    for entry, _ in worker.entries():
        count -= entry["kind"] == "paused"
        if count == 0:
            return


def name_of(report: Any) -> str:
    """Of a frame; of one with entries, that of the last entry."""
    entries = getattr(report, "entries", None)
    return entries[-1].__struct_config__.tag if entries else type(report).__name__
