"""Steps are shared: whoever is ready joins the next, whoever is done leaves."""

from pathlib import Path

from hearth_worker.protocol.reports import Pong
from tests.support.requests import noop_task
from tests.support.worker_harness import WorkerHarness, noop_worker


def test_tasks_of_several_requests_share_every_step(third_party_variables: dict[str, str], tmp_path: Path) -> None:
    with noop_worker(third_party_variables, batch_limit=8) as worker:
        with worker.during_a_step(tmp_path):
            for number in range(1, 9):
                worker.admit(noop_task(number, {"steps": 5}))
        ends = worker.wait_for_end_of(*range(1, 9))
        assert {end["stepsRun"] for end in ends.values()} == {5}
        assert worker.progress() == 1 + 5


def test_a_limit_of_one_shares_nothing(third_party_variables: dict[str, str], tmp_path: Path) -> None:
    with noop_worker(third_party_variables, batch_limit=1) as worker:
        with worker.during_a_step(tmp_path):
            worker.admit(*(noop_task(number, {"steps": 5}) for number in range(1, 5)))
        worker.wait_for_end_of(1, 2, 3, 4)
        assert worker.progress() == 1 + 4 * 5
        assert worker.done_in_order() == [1, 2, 3, 4], "one that has begun goes on before one that has not"


def test_a_newcomer_joins_at_the_next_step() -> None:
    with noop_worker(batch_limit=4) as worker:
        worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}))
        worker.wait_for_entry("started", 1)
        worker.admit(noop_task(2, {"steps": 3}))
        assert worker.wait_for_end_of(2)[2]["stepsRun"] == 3
        worker.send(5, {"tasks": [1]})
        assert worker.wait_for_end_of(1)[1]["stepsRun"] == worker.progress(), "every step had the first task in it"


def test_a_policy_is_valid_from_the_next_step(third_party_variables: dict[str, str], tmp_path: Path) -> None:
    with noop_worker(third_party_variables, batch_limit=8) as worker:
        with worker.during_a_step(tmp_path):
            worker.admit(*(noop_task(number) for number in range(1, 9)))
            worker.set_policy(1, 2)
        worker.wait_for_end_of(*range(1, 9))
        assert worker.progress() == 1 + 4


def test_a_hold_waits_for_company() -> None:
    with noop_worker(batch_limit=2, hold_ms=60_000) as worker:
        worker.admit(noop_task(1))
        worker.admit(noop_task(2))
        worker.wait_for_end_of(1, 2)
        assert worker.progress() == 1


def test_a_hold_ends() -> None:
    with noop_worker(batch_limit=2, hold_ms=20) as worker:
        worker.admit(noop_task(1))
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"


def test_models_do_not_share_steps(third_party_variables: dict[str, str], tmp_path: Path) -> None:
    with noop_worker(third_party_variables, batch_limit=8) as worker:
        worker.load_noop(2, batch_limit=8)
        with worker.during_a_step(tmp_path):
            worker.admit(*(noop_task(number, model=1 + number % 2) for number in range(1, 9)))
        worker.wait_for_end_of(*range(1, 9))
        assert worker.progress() == 1 + 2


def progress(worker: WorkerHarness) -> int:
    """Steps that the worker has run."""
    pong = worker.answer_to(worker.send(8))
    assert isinstance(pong, Pong)
    return pong.progress
