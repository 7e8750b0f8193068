"""Inference and postprocessing share the time of a worker by slices."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_worker.protocol.requests import Stage
from hearth_worker.stage_slices import SLICE_MS, StageSlices
from tests.support.requests import noop_task
from tests.support.worker_harness import WorkerHarness, noop_worker

STAGES: tuple[Stage, Stage] = ("inference", "postprocessing")
shares = st.floats(0.05, 0.95)
# Of one step, in milliseconds; some last longer than a slice.
durations = st.floats(0.5, 400)


def slices_of(share: float) -> StageSlices:
    slices = StageSlices()
    slices.inference_share = share
    return slices


def test_neither_goes_first_until_somebody_says_what_the_share_is() -> None:
    slices = StageSlices()
    slices.computed("inference", 1000, is_contested=True)
    assert slices.first is None


def test_in_a_slice_inference_goes_first_for_its_share_and_then_postprocessing_for_the_rest() -> None:
    slices = slices_of(0.3)
    turns: list[Stage | None] = []
    for _ in range(20):
        turns.append(slices.first)
        slices.computed(slices.first or "inference", 10, is_contested=True)
    assert turns == (["inference"] * 3 + ["postprocessing"] * 7) * 2


def test_what_a_long_step_takes_too_much_is_taken_off_the_next_slices() -> None:
    slices = slices_of(0.5)
    slices.computed("inference", 400, is_contested=True)
    waited = 0
    while slices.first == "postprocessing":
        slices.computed("postprocessing", 25, is_contested=True)
        waited += 25
    assert waited == 400


@pytest.mark.parametrize(("share", "stage"), [(0.0, "postprocessing"), (1.0, "inference")])
def test_a_share_of_nothing_is_never_first(share: float, stage: Stage) -> None:
    slices = slices_of(share)
    for _ in range(50):
        assert slices.first == stage
        slices.computed(stage, 37, is_contested=True)


def test_who_was_alone_owes_nothing() -> None:
    slices = slices_of(0.3)
    slices.computed("inference", 10_000, is_contested=True)
    slices.computed("inference", 10, is_contested=False)
    assert slices.first == "inference"


@given(shares, st.lists(durations, min_size=1, max_size=200), st.lists(durations, min_size=1, max_size=200))
def test_while_both_have_work_each_gets_its_share(
    share: float, inference: list[float], postprocessing: list[float]
) -> None:
    slices = slices_of(share)
    steps: dict[Stage, Iterator[float]] = {"inference": iter(inference), "postprocessing": iter(postprocessing)}
    had = dict.fromkeys(STAGES, 0.0)
    while (stage := slices.first) is not None and (step_ms := next(steps[stage], None)) is not None:
        slices.computed(stage, step_ms, is_contested=True)
        had[stage] += step_ms
    due = share * sum(had.values())
    # Nobody can be cut off in the middle of a step.
    assert abs(had["inference"] - due) <= SLICE_MS + max(*inference, *postprocessing)


@given(shares, st.lists(st.tuples(durations, st.booleans()), max_size=100))
def test_debts_stay_below_what_one_step_made(share: float, steps: list[tuple[float, bool]]) -> None:
    slices = slices_of(share)
    for step_ms, is_contested in steps:
        slices.computed(slices.first or "inference", step_ms, is_contested=is_contested)
        assert all(-1e-6 <= ms <= SLICE_MS + 400 for ms in slices._computed_ms.values())


def test_a_worker_shares_its_time_between_stages() -> None:
    with noop_worker(batch_limit=1, inferenceShare=0.25) as worker:
        worker.admit(endless(1), endless(2, stage="postprocessing"))
        steps_run = steps_when_done(worker, 2, 150)
        assert 0.15 <= steps_run[1] / (steps_run[1] + steps_run[2]) <= 0.35


def test_a_stage_that_is_alone_has_all_the_time() -> None:
    with noop_worker(batch_limit=1, inferenceShare=0.25) as worker:
        worker.admit(endless(1), noop_task(2, stage="postprocessing"))
        worker.wait_for_end_of(2)
        assert steps_when_done(worker, 1, 50)[1] >= 50


def test_interactive_work_goes_before_batch_whatever_the_stage() -> None:
    with noop_worker(batch_limit=1, inferenceShare=0.25) as worker:
        worker.admit(endless(1, task_class="batch", stage="postprocessing"))
        worker.wait_for_entry("step", 1)
        worker.admit(noop_task(2, {"steps": 100, "stepMs": 2}))
        worker.wait_for_end_of(2)
        began = [entry["kind"] for entry in worker.heard_entries()].index("done")
        told = [entry["done"] for entry in worker.heard_entries()[:began] if entry["task"] == 1 and "done" in entry]
        alone = [entry["task"] for entry in worker.heard_entries()].index(2)
        before = [entry["done"] for entry in worker.heard_entries()[:alone] if "done" in entry]
        assert max(told) - max(before) <= 5


def endless(number: int, **fields: Any) -> dict[str, Any]:
    """A task that never ends by itself."""
    return noop_task(number, {"steps": 1_000_000, "stepMs": 2}, **fields)


def steps_when_done(worker: WorkerHarness, number: int, done: int) -> dict[int, int]:
    """Steps that each task has run once that one has so many behind it; both are cancelled."""
    for entry, _ in worker.entries():
        if entry["kind"] == "step" and entry["task"] == number and entry["done"] >= done:
            break
    worker.send(5, {"tasks": [1, 2]})
    return {task: end["stepsRun"] for task, end in worker.wait_for_end_of(1, 2).items()}
