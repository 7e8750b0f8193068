"""ONNX Runtime in a worker with a bound: what does not fit fails as with any other engine, and the others live."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hearth_worker.protocol.reports import Log
from tests.support.graphs import node, tensor, write_model
from tests.support.inference import infer_task, outputs_of, refusal_of
from tests.support.worker_harness import WorkerHarness

MIB = 1024 * 1024
# A row becomes so many numbers of four bytes, and two arrays of them are there at a time.
WIDTH = 10 * MIB
BOUND = {"HEARTH_PRIVATE_BYTES": str(400 * MIB)}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the private memory of a process")


def widening(folder: Path) -> Path:
    """A model that needs 80 MiB for each row: it repeats the row, takes the negative, and adds that up."""
    nodes = [
        node("Expand", ["x", "shape"], ["wide"]),
        node("Neg", ["wide"], ["negative"]),
        node("ReduceSum", ["negative", "axes"], ["y"], keepdims=1),
    ]
    constants = {"shape": np.array([1, WIDTH], np.int64), "axes": np.array([1], np.int64)}
    ports = [tensor("x", shape=["n", 1])], [tensor("y", shape=["n", 1])]
    return write_model(folder, nodes, *ports, initializers=constants, limits={"batchLimit": 8})


def test_a_batch_that_onnx_runtime_has_no_memory_for_is_taken_apart(
    third_party_variables: dict[str, str], tmp_path: Path
) -> None:
    with WorkerHarness("onnx", variables=third_party_variables | BOUND) as worker:
        worker.hello()
        worker.load(widening(tmp_path / "m"))
        worker.set_policy(1, 8)
        with worker.during_a_step(tmp_path):
            worker.admit(*(infer_task(number, {"x": row(number)}) for number in range(1, 9)))
        results = [outputs_of(worker, number)["y"] for number in range(1, 9)]
        assert [result.item() for result in results] == pytest.approx([-number * WIDTH for number in range(1, 9)])
        worker.wait_for(Log, lambda log: "did not fit into memory" in log.message)


def test_a_request_that_is_too_large_alone_fails_and_the_others_live(
    third_party_variables: dict[str, str], tmp_path: Path
) -> None:
    with WorkerHarness("onnx", variables=third_party_variables | BOUND) as worker:
        worker.hello()
        worker.load(widening(tmp_path / "m"))
        worker.set_policy(1, 8)
        with worker.during_a_step(tmp_path):
            rows = np.ones((8, 1), np.float32)
            worker.admit(infer_task(1, {"x": rows}), infer_task(2, {"x": row(2)}))
        assert refusal_of(worker, 1)[0] == "out_of_memory"
        assert outputs_of(worker, 2)["y"].item() == pytest.approx(-2 * WIDTH)
        worker.admit(infer_task(3, {"x": row(3)}))
        assert outputs_of(worker, 3)["y"].item() == pytest.approx(-3 * WIDTH)


def row(number: int) -> NDArray[Any]:
    """One."""
    return np.full((1, 1), number, np.float32)
