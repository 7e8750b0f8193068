"""Requests to infer share runs where that changes no result, and only there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, ValueInfoProto

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.onnx import OnnxEngine
from hearth_worker.programs.probe_rows import why_rows_stay_apart
from hearth_worker.protocol.reports import Log
from tests.support.graphs import node, tensor, write_model
from tests.support.inference import infer_task, outputs_of, refusal_of
from tests.support.requests import load_meta
from tests.support.worker_harness import WorkerHarness

WEIGHTS = {"w": np.random.default_rng(1).standard_normal((8, 4)).astype(np.float32)}
X = tensor("x", shape=["n", 8])
Y = tensor("y", shape=["n", 4])


def test_requests_of_one_kind_share_a_run(third_party_variables: dict[str, str], tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", [node("MatMul", ["x", "w"], ["y"])], [X], [Y], initializers=WEIGHTS)
    with WorkerHarness("onnx", variables=third_party_variables) as worker:
        worker.hello()
        worker.load(folder)
        worker.set_policy(1, 32)
        rows = [rows_of(count, seed=count) for count in (1, 3, 2)]
        before = worker.progress()
        with worker.during_a_step(tmp_path):
            worker.admit(*(infer_task(1 + index, {"x": each}) for index, each in enumerate(rows)))
        results = [outputs_of(worker, 1 + index)["y"] for index in range(3)]
        assert worker.progress() == before + 2, "the gate's step, and one for all three"
    for given, result in zip(rows, results, strict=True):
        assert result == pytest.approx(given @ WEIGHTS["w"], abs=1e-5)


def test_rows_beyond_the_limit_and_other_kinds_take_another_step(
    third_party_variables: dict[str, str], tmp_path: Path
) -> None:
    x, y = tensor("x", shape=["n", "m"]), tensor("y", shape=["n", "m"])
    folder = write_model(tmp_path / "m", [node("Neg", ["x"], ["y"])], [x], [y], limits={"batchLimit": 4})
    with WorkerHarness("onnx", variables=third_party_variables) as worker:
        worker.hello()
        worker.load(folder)
        worker.set_policy(1, 8)
        given = [rows_of(3), rows_of(2), rows_of(9), rows_of(1)[:, :5]]
        before = worker.progress()
        with worker.during_a_step(tmp_path):
            worker.admit(*(infer_task(1 + index, {"x": each}) for index, each in enumerate(given)))
        for index, each in enumerate(given):
            assert outputs_of(worker, 1 + index)["y"].tolist() == (-each).tolist()
        assert worker.progress() == before + 1 + 4


def test_one_that_cannot_be_computed_harms_nobody_beside_it(
    third_party_variables: dict[str, str], tmp_path: Path
) -> None:
    table = {"table": np.arange(10, dtype=np.float32)}
    inputs, outputs = [tensor("x", TensorProto.INT64, ["n"])], [tensor("y", shape=["n"])]
    folder = write_model(tmp_path / "m", [node("Gather", ["table", "x"], ["y"])], inputs, outputs, initializers=table)
    with WorkerHarness("onnx", variables=third_party_variables) as worker:
        worker.hello()
        worker.load(folder)
        worker.set_policy(1, 8)
        before = worker.progress()
        with worker.during_a_step(tmp_path):
            for number, index in ((1, 3), (2, 10), (3, 9)):
                worker.admit(infer_task(number, {"x": np.array([index])}))
        assert outputs_of(worker, 1)["y"].tolist() == [3]
        code, message = refusal_of(worker, 2)
        assert (code, "idx=10" in message) == ("invalid_request", True)
        assert outputs_of(worker, 3)["y"].tolist() == [9]
        assert worker.progress() == before + 2


def test_the_worker_says_whether_requests_share_runs(tmp_path: Path) -> None:
    joined = write_model(tmp_path / "joined", [node("MatMul", ["x", "w"], ["y"])], [X], [Y], initializers=WEIGHTS)
    apart = write_model(tmp_path / "apart", [node("Softmax", ["x"], ["y"], axis=0)], [X], [tensor("y", shape=["n", 8])])
    with WorkerHarness("onnx") as worker:
        worker.hello()
        worker.load(joined, 1)
        worker.load(apart, 2)
        worker.wait_for(Log, lambda log: "joined share runs of up to 32 rows" in log.message)
        worker.wait_for(Log, lambda log: "apart run one by one: output 'y' of a row depends" in log.message)


def dynamic_quantisation() -> list[Any]:
    return [
        node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
        node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]


SAME = tensor("y", shape=["n", 8])
PADDLE = tensor("x", shape=["p2o.DynamicDimension.0", 8])
LARGE = tensor("x", shape=["n", 3, 512, 512])


@pytest.mark.parametrize(
    ("nodes", "inputs", "outputs", "words"),
    [
        ([node("Softmax", ["x"], ["y"], axis=1)], [X], [SAME], None),
        ([node("Softmax", ["x"], ["y"], axis=0)], [X], [SAME], "depends on the other rows"),
        (dynamic_quantisation(), [X], [SAME], "depends on the other rows"),
        ([node("ReduceMax", ["x"], ["y"], keepdims=0)], [X], [tensor("y", shape=[])], "no free first dimension"),
        ([node("Neg", ["x"], ["y"])], [tensor("x", shape=[1, 8])], [tensor("y", shape=[1, 8])], "no free first"),
        ([node("Neg", ["x"], ["y"])], [X], [tensor("y", shape=["m", 8])], "different names (m, n)"),
        ([node("Neg", ["x"], ["y"])], [tensor("x", shape=[None, 8])], [tensor("y", shape=["unk__7", 8])], None),
        ([node("Neg", ["x"], ["y"])], [PADDLE], [tensor("y", shape=["p2o.DynamicDimension.3", 8])], None),
        ([node("Neg", ["x"], ["y"])], [X], [tensor("y", shape=["Negy_dim_0", 8])], None),
        ([node("Neg", ["x"], ["y"])], [LARGE], [tensor("y", shape=["n", 3, 512, 512])], "too large to try"),
        ([node("CumSum", ["x", "axis"], ["y"])], [X], [SAME], "depends on the other rows"),
        # Gives each row twice.
        ([node("Concat", ["x", "x"], ["y"], axis=0)], [X], [SAME], "could not be computed"),
        (
            [node("Transpose", ["x"], ["t"]), node("MatMul", ["x", "t"], ["y"])],
            [X],
            [tensor("y", shape=["n", "n"])],
            "depends on the other rows",
        ),
    ],
)
def test_rows_are_joined_only_where_results_are_the_same(
    tmp_path: Path, nodes: Sequence[Any], inputs: list[ValueInfoProto], outputs: list[ValueInfoProto], words: str | None
) -> None:
    component = load(write_model(tmp_path, nodes, inputs, outputs, initializers={"axis": np.array(0)}))
    reason = why_rows_stay_apart(component)
    if words is None:
        assert reason is None
    else:
        assert reason is not None
        assert words in reason


def load(folder: Path) -> Any:
    """The graph by itself."""
    import msgspec

    meta = load_meta(folder, 1)
    engine = OnnxEngine(EngineSettings(threads=1, wake=lambda: None))
    return engine.load(msgspec.convert(meta["manifest"], Manifest), folder, ["graph"]).components["graph"]


def rows_of(count: int, seed: int = 0) -> Any:
    """Random rows of eight."""
    return np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)
