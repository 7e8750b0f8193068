"""A worker with a bound: what is too large for its device fails alone, in the worker, instead of taking the machine."""

import sys

import pytest

from hearth_worker.protocol.reports import Log
from tests.support.requests import noop_task
from tests.support.worker_harness import noop_worker

MIB = 1024 * 1024
BOUND = {"HEARTH_PRIVATE_BYTES": str(300 * MIB)}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the private memory of a process")


def test_a_batch_that_is_too_large_runs_out_of_memory_and_is_taken_apart() -> None:
    with noop_worker(BOUND, batch_limit=4, hold_ms=60_000) as worker:
        worker.admit(*(noop_task(number, {"steps": 2, "stepBytes": 120 * MIB}) for number in (1, 2, 3, 4)))
        ends = worker.wait_for_end_of(1, 2, 3, 4)
        assert {end["kind"] for end in ends.values()} == {"done"}
        assert {end["stepsRun"] for end in ends.values()} == {2}
        assert "did not fit into memory" in worker.wait_for(Log).message


def test_what_is_too_large_alone_fails_and_the_others_live() -> None:
    with noop_worker(BOUND, batch_limit=2, hold_ms=60_000) as worker:
        worker.admit(noop_task(1, {"stepBytes": 2000 * MIB}), noop_task(2))
        ends = worker.wait_for_end_of(1, 2)
        assert (ends[1]["kind"], ends[1]["code"], ends[1]["retryable"]) == ("failed", "out_of_memory", True)
        assert ends[2]["kind"] == "done"
        worker.admit(noop_task(3), noop_task(4))
        assert {end["kind"] for end in worker.wait_for_end_of(3, 4).values()} == {"done"}


def test_a_worker_without_a_bound_takes_what_there_is() -> None:
    with noop_worker(batch_limit=1) as worker:
        worker.admit(noop_task(1, {"stepBytes": 400 * MIB}))
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"
