"""A mistake of a program is the failure of its task: the worker lives on, and who shared its step has what is due."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.mistaken_programs import WRONG_OUTCOMES
from tests.support.requests import noop_task, task
from tests.support.worker_harness import noop_worker


@pytest.mark.parametrize("mistakes", [sorted(WRONG_OUTCOMES), ["nothing"], ["interrupted"]])
def test_an_outcome_that_breaks_the_protocol_fails_its_task_alone(
    third_party_variables: dict[str, str], tmp_path: Path, mistakes: list[str]
) -> None:
    with noop_worker(third_party_variables) as worker:
        numbers = range(2, 2 + len(mistakes))
        with worker.during_a_step(tmp_path):
            worker.admit(mistaken(1, "", credit=10))
            worker.admit(*(mistaken(number, mistake) for number, mistake in zip(numbers, mistakes, strict=True)))
            worker.admit(mistaken(99, ""), noop_task(100))
        ends = worker.wait_for_end_of(1, *numbers, 99, 100)
        assert [ends[number]["kind"] for number in (1, 99, 100)] == ["done", "done", "done"]
        told = {mistake: ends[number] for number, mistake in zip(numbers, mistakes, strict=True)}
        assert {mistake: end["kind"] for mistake, end in told.items()} == dict.fromkeys(mistakes, "failed")
        assert {end["code"] for end in told.values()} == {"engine_error"}
        if "like_a_tensor" in told:
            words = "outputs may not contain a map with the keys dtype, shape and span"
            assert words in told["like_a_tensor"]["message"]
            assert told["surrogate_in_message"]["message"] == "no file \\udcff"
        assert worker.progress() >= 1


def test_a_client_cannot_pass_a_map_off_as_a_tensor() -> None:
    with noop_worker() as worker:
        value = {"dtype": "x", "shape": [1], "span": {"offset": 0, "length": 4}}
        worker.admit(noop_task(1, {"value": value}), noop_task(2))
        ends = worker.wait_for_end_of(1, 2)
        assert (ends[1]["code"], ends[2]["kind"]) == ("engine_error", "done")


@pytest.mark.parametrize("mistake", ["batch_key", "ready", "key_later"])
def test_a_program_that_raises_outside_its_step_fails_its_task_alone(
    third_party_variables: dict[str, str], tmp_path: Path, mistake: str
) -> None:
    with noop_worker(third_party_variables) as worker:
        with worker.during_a_step(tmp_path):
            worker.admit(mistaken(1, ""), mistaken(2, mistake), mistaken(3, ""))
        ends = worker.wait_for_end_of(1, 2, 3)
        assert {number: end["kind"] for number, end in ends.items()} == {1: "done", 2: "failed", 3: "done"}
        assert ends[2]["code"] == "engine_error"


@pytest.mark.parametrize("mistake", ["expected_step_ms", "release"])
def test_a_program_that_raises_around_its_step_still_has_its_output(
    third_party_variables: dict[str, str], mistake: str
) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(mistaken(1, ""), mistaken(2, mistake))
        ends = worker.wait_for_end_of(1, 2)
        assert (ends[1]["kind"], ends[2]["kind"]) == ("done", "done")


@pytest.mark.parametrize("mistake", ["keep", "keep_text"])
def test_what_a_cancelled_task_keeps_is_left_out_when_it_cannot_be_sent(
    third_party_variables: dict[str, str], mistake: str
) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(mistaken(1, mistake))
        worker.wait_for_entry("step", 1)
        worker.send(5, {"tasks": [1]})
        end = worker.wait_for_end_of(1)[1]
        assert (end["kind"], "output" in end) == ("cancelled", False)


def test_a_worker_that_cannot_release_a_state_shuts_down_all_the_same(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables, hold_ms=60_000) as worker:
        worker.acknowledged(worker.admit(mistaken(1, "release"), mistaken(2, "")))
        worker.send(10)
        assert worker.exit_status() == 0


def mistaken(number: int, what: str, **fields: Any) -> dict[str, Any]:
    """A task that makes this mistake."""
    return task(number, program="mistaken", request={"what": what}, **fields)
