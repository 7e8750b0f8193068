"""Steps that fail, do not fit, or kill: only the task at fault suffers, and who shared a fatal step is known."""

from pathlib import Path

from hearth_worker.programs.noop import EXIT_STATUS
from hearth_worker.protocol.reports import Log, Pong, Steps
from tests.support.requests import noop_task, task
from tests.support.worker_harness import noop_worker


def test_one_that_fails_is_told_apart_from_innocents_in_its_step(
    third_party_variables: dict[str, str], tmp_path: Path
) -> None:
    with noop_worker(third_party_variables, batch_limit=8) as worker:
        with worker.during_a_step(tmp_path):
            worker.admit(
                noop_task(1, {"steps": 3}), noop_task(2, {"steps": 3, "failAtStep": 2}), noop_task(3, {"steps": 3})
            )
        ends = worker.wait_for_end_of(1, 2, 3)
        assert {number: end["kind"] for number, end in ends.items()} == {1: "done", 2: "failed", 3: "done"}
        assert (ends[2]["code"], ends[2]["retryable"]) == ("engine_error", False)
        assert "step 2 failed, as asked" in ends[2]["message"]
        assert (ends[1]["stepsRun"], ends[3]["stepsRun"]) == (3, 3)
        assert "tried alone" in worker.wait_for(Log).message


def test_a_batch_that_does_not_fit_is_halved_until_it_does(
    third_party_variables: dict[str, str], tmp_path: Path
) -> None:
    with noop_worker(third_party_variables, batch_limit=8) as worker:
        with worker.during_a_step(tmp_path):
            worker.admit(*(noop_task(number, {"outOfMemoryAbove": 2}) for number in range(1, 8)))
        ends = worker.wait_for_end_of(*range(1, 8))
        assert {end["kind"] for end in ends.values()} == {"done"}
        assert worker.progress() == 2


def test_one_that_does_not_fit_alone_fails_and_the_others_go_on(
    third_party_variables: dict[str, str], tmp_path: Path
) -> None:
    with noop_worker(third_party_variables, batch_limit=8) as worker:
        with worker.during_a_step(tmp_path):
            worker.admit(noop_task(1), noop_task(2, {"outOfMemoryAbove": 0}), noop_task(3))
        ends = worker.wait_for_end_of(1, 2, 3)
        assert (ends[1]["kind"], ends[3]["kind"]) == ("done", "done")
        assert (ends[2]["code"], ends[2]["retryable"]) == ("out_of_memory", True)


def test_all_tasks_of_a_fatal_step_have_been_told_before_it(
    third_party_variables: dict[str, str], tmp_path: Path
) -> None:
    with noop_worker(third_party_variables, batch_limit=8) as worker:
        with worker.during_a_step(tmp_path):
            worker.admit(noop_task(1), noop_task(2, {"exitAtStep": 1}), noop_task(3))
        worker.listen_to_the_end()
        assert worker.exit_status() == EXIT_STATUS
        started = [entry["task"] for entry in worker.heard_entries() if entry["kind"] == "started"]
        assert started[-3:] == [1, 2, 3]


def test_a_step_that_hangs_shows_as_busy_without_progress() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"hangAtStep": 2, "steps": 3}))
        worker.wait_for(Steps)
        pongs = [worker.answer_to(worker.send(8)) for _ in range(2)]
        while pongs[-1] != Pong(progress=1, busy=True):
            pongs.append(worker.answer_to(worker.send(8)))


def test_short_steps_are_told_with_their_outcome() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1))
        worker.wait_for_end_of(1)
        told = [frame for frame, report in worker.heard if getattr(report, "entries", None)]
        assert len(told) == 1


def test_an_output_that_cannot_be_sent_fails_its_task(third_party_variables: dict[str, str], tmp_path: Path) -> None:
    with noop_worker(third_party_variables) as worker:
        with worker.during_a_step(tmp_path):
            worker.admit(task(1, program="unsendable"), task(2, program="unsendable"), noop_task(3))
        ends = worker.wait_for_end_of(1, 2, 3)
        assert (ends[1]["kind"], ends[1]["code"]) == ("failed", "engine_error")
        assert "object" in ends[1]["message"]
        assert (ends[2]["kind"], ends[3]["kind"]) == ("failed", "done")
