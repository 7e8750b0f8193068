"""Tasks through a real worker: admitted, ended, withdrawn, cancelled, too late; each ends exactly once."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import convert

from hearth_worker.activity import Activity
from hearth_worker.bound_program import BoundProgram
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.none import NothingLoaded
from hearth_worker.programs.noop import Noop, NoopParameters, NoopState
from hearth_worker.protocol.reports import Ack, Error, Pong, StatsReport, Unloaded
from hearth_worker.protocol.requests import Task
from hearth_worker.tasks import TaskRecord, Tasks
from tests.support.requests import noop_task, task
from tests.support.worker_harness import noop_worker


def test_an_admitted_task_starts_and_ends_with_its_output() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"value": {"a": [1, None, "ü"]}}))
        end = worker.wait_for_end_of(1)[1]
        assert end == {"kind": "done", "task": 1, "output": {"values": {"a": [1, None, "ü"]}}, "stepsRun": 1}
        assert worker.kinds_of(1) == ["started", "done"]


def test_progress_is_told_in_steps() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 3, "stepMs": 15}))
        worker.wait_for_end_of(1)
        steps = [entry for entry in worker.heard_entries() if entry["kind"] == "step"]
        assert steps == [{"kind": "step", "task": 1, "done": n, "total": 3, "unit": "steps"} for n in (1, 2)]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"request": {"parameters": {"steps": "many"}}}, "invalid_request", "steps"),
        ({"request": {"parameters": 7}}, "invalid_request", "object"),
        ({"program": "paint"}, "engine_error", "'paint'"),
        ({"model": 9}, "engine_error", "Model 9"),
    ],
)
def test_a_task_that_cannot_run_here_fails_with_its_reason(changes: dict[str, Any], code: str, words: str) -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1) | changes, noop_task(2))
        ends = worker.wait_for_end_of(1, 2)
        assert (ends[1]["kind"], ends[1]["code"]) == ("failed", code)
        assert words in ends[1]["message"]
        assert ends[1]["retryable"] == (code == "engine_error")
        assert ends[2]["kind"] == "done"


def test_a_task_that_is_admitted_twice_is_refused() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 1000, "stepMs": 1}))
        refused = worker.answer_to(worker.admit(noop_task(1)))
        assert isinstance(refused, Error)
        assert refused.code == "duplicate_task"


def test_interactive_goes_before_batch_and_lower_order_first(
    third_party_variables: dict[str, str], tmp_path: Path
) -> None:
    with noop_worker(third_party_variables, batch_limit=1) as worker:
        with worker.during_a_step(tmp_path):
            worker.admit(
                noop_task(1, order=1, task_class="batch"),
                noop_task(2, order=9),
                noop_task(3, order=5),
                noop_task(4, order=0, task_class="batch"),
            )
        worker.wait_for_end_of(1, 2, 3, 4)
        assert worker.done_in_order() == [3, 2, 4, 1]


def test_a_task_that_has_not_started_is_given_back(third_party_variables: dict[str, str], tmp_path: Path) -> None:
    with noop_worker(third_party_variables, batch_limit=1) as worker:
        with worker.during_a_step(tmp_path):
            worker.admit(noop_task(1), noop_task(2))
            worker.send(4, {"tasks": [2, 4711]})
        ends = worker.wait_for_end_of(1, 2)
        assert {task: end["kind"] for task, end in ends.items()} == {1: "done", 2: "withdrawn"}
        worker.admit(noop_task(2))
        worker.wait_for_entry("done", 2)
        assert worker.kinds_of(2) == ["withdrawn", "started", "done"]


def test_a_cancelled_task_takes_no_further_step() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}), noop_task(2, {"steps": 5, "stepMs": 1}))
        worker.wait_for_entry("step", 1)
        worker.send(5, {"tasks": [1, 4711]})
        end = worker.wait_for_end_of(1, 2)[1]
        assert end["kind"] == "cancelled"
        assert 1 <= end["stepsRun"] < 1_000_000
        assert "output" not in end


def test_a_task_is_cancelled_before_it_starts(third_party_variables: dict[str, str], tmp_path: Path) -> None:
    with noop_worker(third_party_variables, batch_limit=1) as worker:
        with worker.during_a_step(tmp_path):
            worker.admit(noop_task(1))
            worker.send(5, {"tasks": [1]})
        assert worker.wait_for_end_of(1)[1] == {"kind": "cancelled", "task": 1, "stepsRun": 0}


def test_a_cancel_that_comes_too_late_is_only_acknowledged() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1))
        worker.wait_for_end_of(1)
        worker.acknowledged(worker.send(5, {"tasks": [1]}))
        assert worker.kinds_of(1) == ["started", "done"]


def test_a_deadline_ends_a_task_between_its_steps() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}, deadlineMs=30))
        end = worker.wait_for_end_of(1)[1]
        assert (end["kind"], end["code"], end["retryable"]) == ("failed", "deadline_exceeded", False)


def test_a_deadline_ends_a_task_that_never_gets_a_step() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"items": 10}, credit=0, deadlineMs=30))
        assert worker.wait_for_end_of(1)[1]["code"] == "deadline_exceeded"
        worker.set_policy(1, 2, hold_ms=60_000)
        worker.admit(noop_task(2, deadlineMs=30))
        assert worker.wait_for_end_of(2)[2]["code"] == "deadline_exceeded"


def test_deadlines_that_are_met_do_not_gather() -> None:
    tasks = Tasks(Activity())
    bound = BoundProgram(1, 1, Noop(NothingLoaded(Manifest("noop", "none")), []))
    for number in range(5000):
        admitted = convert(noop_task(number, deadlineMs=10**9), Task)
        record = TaskRecord(admitted, bound, NoopState(NoopParameters()), at=0)
        tasks.add(record)
        tasks.remove(record)
    assert len(tasks._deadlines) < 2000


def test_a_deadline_that_is_met_does_nothing() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, deadlineMs=60_000))
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"


def test_a_model_with_tasks_is_not_unloaded_and_one_without_is() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}))
        refused = worker.answer_to(worker.send(2, {"model": 1}))
        assert isinstance(refused, Error)
        assert refused.code == "in_use"
        worker.send(5, {"tasks": [1]})
        assert isinstance(worker.answer_to(worker.send(2, {"model": 1})), Unloaded)
        worker.admit(noop_task(2))
        assert worker.wait_for_end_of(2)[2]["code"] == "engine_error"


def test_ping_is_answered_during_a_step_and_what_came_meanwhile_is_acknowledged() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"stepMs": 60_000}))
        worker.wait_for_entry("started", 1)
        admitted = worker.admit(noop_task(2))
        worker.acknowledged(admitted)
        pong = worker.answer_to(worker.send(8))
        assert isinstance(pong, Pong)
        assert pong == Pong(progress=0, busy=True, step_ms=60_000)


def test_requests_that_have_no_answer_are_acknowledged() -> None:
    with noop_worker() as worker:
        worker.acknowledged(worker.send(7, {"tasks": [{"task": 4711, "items": 1}]}))
        assert worker.heard[-1][1] == Ack()
        assert worker.answer_to(worker.send(8)) == Pong(progress=0, busy=False)


def test_stats_count_tasks_and_never_repeat_their_number() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}))
        worker.wait_for_entry("started", 1)
        first, second = (worker.answer_to(worker.send(9)) for _ in range(2))
        assert isinstance(first, StatsReport)
        assert isinstance(second, StatsReport)
        assert (first.epoch, first.sequence, second.sequence) == (7, 1, 2)
        assert [(model.model, model.tasks) for model in first.models] == [(1, 1)]
        assert 0 < first.private_bytes < first.resident_bytes


def test_task_fields_of_a_newer_server_are_ignored() -> None:
    with noop_worker() as worker:
        worker.admit(task(1, request={"parameters": {"value": 1, "later": 2}}, later=[1]))
        assert worker.wait_for_end_of(1)[1]["output"] == {"values": 1}
