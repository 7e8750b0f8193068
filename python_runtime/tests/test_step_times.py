"""How long steps last is told by node, shape and number of states, and so is what did not fit into memory."""

from collections.abc import Hashable

import pytest
from msgspec import convert

from hearth_worker import memory
from hearth_worker.bound_program import BoundProgram
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.none import NothingLoaded
from hearth_worker.programs.noop import Noop
from hearth_worker.protocol.reports import Loaded, StepTime, StepTimes
from hearth_worker.protocol.requests import Task
from hearth_worker.step_times import KINDS_MAX, GatheredTimes
from hearth_worker.tasks import TaskRecord
from tests.support.requests import noop_task
from tests.support.worker_harness import WorkerHarness, noop_worker

MIB = 1024 * 1024


def test_steps_are_told_by_their_number_of_states() -> None:
    with noop_worker(batch_limit=3, hold_ms=60_000) as worker:
        worker.admit(*(noop_task(number, {"steps": 6, "stepMs": 3}) for number in (1, 2, 3)))
        worker.wait_for_end_of(1, 2, 3)
        times = told_times(worker, 5)
    assert {(time.model, time.node, time.shape, time.states) for time in times} == {(1, "noop", "", 3)}
    # The first of its kind, in which an engine prepares itself, is not told.
    assert sum(time.steps for time in times) == 5
    assert all(time.ms >= 3 for time in times)


def test_a_step_that_did_not_fit_is_told_with_what_it_was_taken_apart_into() -> None:
    with noop_worker(batch_limit=4, hold_ms=60_000) as worker:
        worker.admit(*(noop_task(number, {"steps": 2, "outOfMemoryAbove": 2}) for number in (1, 2, 3, 4)))
        ends = worker.wait_for_end_of(1, 2, 3, 4)
        times = told_times(worker, 3)
        too_large = {(each.model, each.node, each.shape, each.states) for each in reports(worker)[0].too_large}
    assert {end["kind"] for end in ends.values()} == {"done"}
    assert too_large == {(1, "noop", "", 4)}
    assert {time.states for time in times} == {2}


def test_the_memory_of_the_first_steps_is_told() -> None:
    with noop_worker(batch_limit=2, hold_ms=60_000) as worker:
        worker.admit(*(noop_task(number, {"steps": 3, "stepBytes": 40 * MIB}) for number in (1, 2)))
        worker.wait_for_end_of(1, 2)
        peaks = [time.peak_bytes for time in told_times(worker, 2)]
    if peaks == [None]:
        pytest.skip("the kernel does not tell the peak of a process here")
    assert all(peak is not None and 70 * MIB < peak < 120 * MIB for peak in peaks)


def test_the_memory_of_another_model_is_no_memory_of_a_step(third_party_variables: dict[str, str]) -> None:
    hoard = {"name": "hoard", "engine": "none", "components": [], "graph": [{"program": "hoard"}]}
    with noop_worker(third_party_variables, batch_limit=1) as worker:
        worker.admit(noop_task(1))
        worker.wait_for_end_of(1)
        worker.send(1, {"model": 2, "manifest": hoard, "directory": "/", "components": []})
        worker.wait_for(Loaded, lambda loaded: loaded.model == 2)
        worker.admit(noop_task(2, {"steps": 2}))
        worker.wait_for_end_of(2)
        peaks = [time.peak_bytes for time in told_times(worker, 2)]
    assert all(peak is None or peak < 20 * MIB for peak in peaks)


def test_what_loads_take_meanwhile_is_no_memory_of_a_step() -> None:
    gathered = GatheredTimes()
    run(gathered)
    run(gathered, is_loading=True)
    assert [time.peak_bytes for time in gathered.take().times] == [None]
    run(gathered)
    if memory.begin_peak() is None:
        pytest.skip("the kernel does not tell the peak of a process here")
    assert [time.peak_bytes is None for time in gathered.take().times] == [False]


def test_not_every_shape_that_clients_can_think_of_is_remembered() -> None:
    gathered = GatheredTimes()
    for number in range(KINDS_MAX + 10):
        for _ in range(2):
            run(gathered, str(number))
    assert len(gathered._begun) == 10
    assert len(gathered._seen) == 10


def run(gathered: GatheredTimes, shape: str = "", *, is_loading: bool = False) -> None:
    """A step of one state that does nothing."""
    bound = BoundProgram(1, 1, Noop(NothingLoaded(Manifest("noop", "none")), []), node="noop")
    record = TaskRecord(convert(noop_task(1), Task), bound, None, 0)
    record.shape = shape
    with gathered.step_of(record, 1, is_loading=is_loading):
        pass


def told_times(worker: WorkerHarness, steps: int) -> list[StepTime]:
    """As soon as so many steps have been told."""
    while sum(time.steps for report in reports(worker) for time in report.times) < steps:
        assert worker.listen(10)
    return [time for report in reports(worker) for time in report.times]


def reports(worker: WorkerHarness) -> list[StepTimes]:
    return [report for _, report in worker.heard if isinstance(report, StepTimes)]


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        (None, ""),
        (140_000_000_000_000, ""),
        ((4, 64, 64), "4 64 64"),
        ((("image", (3, 8)), "float32"), "image 3 8 float32"),
        (frozenset({("b", 1), ("a", 2)}), ""),
    ],
)
def test_a_shape_is_what_is_written_in_a_batch_key_but_no_identity(key: Hashable, shape: str) -> None:
    bound = BoundProgram(1, 1, Noop(NothingLoaded(Manifest("noop", "none")), []))
    assert bound.shape_of((1, key)) == shape


def test_a_long_shape_is_a_digest_of_its_words() -> None:
    bound = BoundProgram(1, 1, Noop(NothingLoaded(Manifest("noop", "none")), []))
    shapes = {bound.shape_of((1, (*range(100), last))) for last in (1, 2)}
    assert len(shapes) == 2
    assert all(len(shape) == 16 for shape in shapes)
