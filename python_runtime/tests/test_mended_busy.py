"""A worker whose engine computes between steps is busy until the last such task has ended, in whatever way."""

from typing import Any

import pytest

from hearth_worker.protocol.reports import Pong
from tests.support.requests import task
from tests.support.worker_harness import WorkerHarness, noop_worker


@pytest.mark.parametrize("fields", [{}, {"deadlineMs": 300}])
def test_it_is_idle_after_the_last_task_ended_without_a_step(
    third_party_variables: dict[str, str], fields: dict[str, Any]
) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(task(1, program="think_for_ever", request={}, **fields))
        worker.wait_for_entry("started", 1)
        assert pong(worker) == Pong(progress=1, busy=True)
        if not fields:
            worker.send(5, {"tasks": [1]})
        worker.wait_for_end_of(1)
        assert pong(worker) == Pong(progress=1, busy=False)


def pong(worker: WorkerHarness) -> Pong:
    """Once the step has ended."""
    while True:
        answer = worker.answer_to(worker.send(8))
        assert isinstance(answer, Pong)
        if answer.progress == 1:
            return answer
