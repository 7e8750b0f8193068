"""A real worker on streams that break the protocol: it says so, ends, and never runs what it did not understand."""

import json
from typing import Any

import pytest

from hearth_worker.__main__ import CAPABILITIES
from hearth_worker.protocol.reports import Error, Pong
from hearth_worker.reader import EXIT_PROTOCOL_ERROR
from tests.support.requests import noop_task
from tests.support.worker_harness import WorkerHarness, noop_worker
from tests.vectors.write_frames import FRAMES_JSON

VECTORS: list[dict[str, Any]] = json.loads(FRAMES_JSON.read_text(encoding="utf-8"))["vectors"]
BROKEN = [vector for vector in VECTORS if vector["error"] and vector["direction"] == "toWorker"]
ASKING = [vector for vector in VECTORS if "capability" in vector and vector["direction"] == "toWorker"]


@pytest.mark.parametrize("vector", BROKEN, ids=[vector["name"] for vector in BROKEN])
def test_a_broken_stream_is_answered_and_ended(vector: dict[str, Any]) -> None:
    with WorkerHarness() as worker:
        worker.hello()
        worker.send_bytes(bytes.fromhex(vector["hex"]))
        if vector["error"] == "truncated":
            worker.stream.shutdown(1)
        error = worker.stream_error()
        assert error.code == "protocol"
        assert not error.retryable
        assert worker.exit_status() == EXIT_PROTOCOL_ERROR
        answered = [report for _, report in worker.heard if isinstance(report, Pong)]
        assert len(answered) == len(vector["frames"])


def test_a_broken_stream_is_ended_while_a_step_runs() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"stepMs": 60_000}))
        worker.wait_for_entry("started", 1)
        worker.send_bytes(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert "48 52 54 01" in worker.stream_error().message
        assert worker.exit_status() == EXIT_PROTOCOL_ERROR


def test_every_type_that_a_worker_may_serve_is_served_and_the_stream_goes_on() -> None:
    asked = [vector for vector in ASKING if vector["error"] is None]
    assert {frame["type"] for vector in asked for frame in vector["frames"]} >= {*range(11, 21)}
    with noop_worker() as worker:
        assert set(worker.hello().capabilities) == set(CAPABILITIES) >= {vector["capability"] for vector in asked}
        for vector in asked:
            # Whatever they name is unknown here, so that nothing is left of them but the lease.
            if vector["frames"][0]["type"] not in (3, 16):
                worker.send_bytes(bytes.fromhex(vector["hex"]))
        worker.acknowledged(worker.send(11))
        assert not [report for _, report in worker.heard if isinstance(report, Error)]
        worker.admit(noop_task(1, {"value": "still here"}))
        assert worker.wait_for_end_of(1)[1]["output"] == {"values": "still here"}
