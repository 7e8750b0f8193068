"""Between the tasks of an interactive job no long step of batch work begins."""

from dataclasses import dataclass
from typing import cast

from hearth_worker.follow_ups import WAIT_MS, FollowUps
from hearth_worker.tasks import TaskRecord
from tests.support.requests import noop_task
from tests.support.worker_harness import noop_worker


@dataclass
class Ended:
    """What is asked of a record."""

    task_class: str
    is_done: bool = True
    is_held: bool = True


def ended(follow_ups: FollowUps, now: float, *records: Ended) -> None:
    follow_ups.step_ended([cast("TaskRecord", record) for record in records], now)


def test_the_next_task_is_awaited_where_an_output_stays() -> None:
    follow_ups = FollowUps()
    ended(follow_ups, 100, Ended("interactive"))
    assert follow_ups.due_at(100) == 100 + WAIT_MS
    assert follow_ups.due_at(100 + WAIT_MS) is None


def test_nothing_is_awaited_after_the_last_task_or_one_of_batch_work() -> None:
    follow_ups = FollowUps()
    ended(follow_ups, 100, Ended("interactive", is_held=False), Ended("batch"))
    assert follow_ups.due_at(100) is None


def test_it_has_come_once_interactive_work_has_had_a_step() -> None:
    follow_ups = FollowUps()
    ended(follow_ups, 100, Ended("interactive"))
    ended(follow_ups, 105, Ended("interactive", is_done=False))
    assert follow_ups.due_at(106) is None


def test_batch_work_goes_on_when_nobody_comes() -> None:
    with noop_worker(batch_limit=1) as worker:
        worker.admit(noop_task(1, {"steps": 5}, hold=True), noop_task(2, {"steps": 5}, task_class="batch"))
        worker.wait_for_end_of(2)
        assert [entry["task"] for entry in worker.heard_entries() if entry["kind"] == "done"] == [1, 2]


def test_interactive_work_does_not_starve_batch_work() -> None:
    with noop_worker(batch_limit=1) as worker:
        worker.admit(
            noop_task(1, {"steps": 1_000_000, "stepMs": 2}),
            noop_task(2, {"steps": 2, "stepMs": 20}, task_class="batch"),
        )
        worker.wait_for_end_of(2)
