"""A PONG says how long the running step waits, where its program says so; the server is that patient with it."""

from typing import Any

import pytest

from hearth_worker.protocol.reports import Pong
from tests.support.requests import task
from tests.support.worker_harness import noop_worker


@pytest.mark.parametrize(
    ("parameters", "step_ms"),
    [({"stepMs": 60_000.5}, 60_001), ({"hangAtStep": 1}, None), ({"spinAtStep": 1}, None)],
    ids=["a step of known length", "a step that sleeps for ever", "a step that computes for ever"],
)
def test_the_running_step(parameters: dict[str, Any], step_ms: int | None) -> None:
    with noop_worker() as worker:
        worker.admit(task(1, request={"parameters": parameters}))
        worker.wait_for_entry("started", 1)
        assert worker.answer_to(worker.send(8)) == Pong(progress=0, busy=True, step_ms=step_ms)


def test_a_program_that_only_knows_how_long_its_steps_last_may_not_do_nothing_for_longer(
    third_party_variables: dict[str, str],
) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(task(1, program="patient", request={"stepMs": 60_000}))
        worker.wait_for_entry("started", 1)
        assert worker.answer_to(worker.send(8)) == Pong(progress=0, busy=True, step_ms=None)


def test_no_step() -> None:
    with noop_worker() as worker:
        worker.admit(task(1, request={"parameters": {"stepMs": 20}}))
        worker.wait_for_end_of(1)
        answer = worker.answer_to(worker.send(8))
        assert isinstance(answer, Pong)
        assert answer.step_ms is None
