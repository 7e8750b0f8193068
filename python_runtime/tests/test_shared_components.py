"""Models whose components are equal share what is open, and nothing else."""

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import Manifest, ModelFile
from hearth_worker.engines.onnx import OnnxEngine, OnnxModel
from hearth_worker.failures import LoadFailed, StaleModel
from hearth_worker.protocol.reports import StatsReport, Unloaded
from tests.support.graphs import node, tensor, write_model
from tests.support.inference import infer_task, outputs_of
from tests.support.requests import MODELS, load_meta
from tests.support.worker_harness import WorkerHarness

ONE = np.ones((1, 2), np.float32)


@pytest.fixture
def engine() -> OnnxEngine:
    return OnnxEngine(EngineSettings(threads=1, wake=lambda: None))


def test_equal_components_are_opened_once_and_freed_by_the_last(engine: OnnxEngine, tmp_path: Path) -> None:
    first, second = load(engine, adder(tmp_path / "a", 1)), load(engine, copied(tmp_path / "a", tmp_path / "b"))
    assert session(first) is session(second)
    assert first.weights_bytes == second.weights_bytes > 0, "told in full for each"
    held = first.components["graph"]
    first.close()
    with pytest.raises(AssertionError, match="closed"):
        held.run({"x": ONE})
    assert second.components["graph"].run({"x": ONE})[0].tolist() == [[2, 2]]
    shared = session(second)
    second.close()
    assert shared._session is None
    third = load(engine, tmp_path / "b")
    assert session(third) is not shared


def test_components_that_cannot_be_opened_leave_nothing_open(engine: OnnxEngine, tmp_path: Path) -> None:
    broken, whole = adder(tmp_path / "a", 1), adder(tmp_path / "b", 2)
    manifest = msgspec.json.decode((whole / "model.json").read_bytes(), type=Manifest)
    missing = ModelFile("gone.bin", "weights", "0" * 64)
    component = msgspec.structs.replace(manifest.components[0], files=[*manifest.components[0].files, missing])
    load(engine, whole).close()
    (broken / "model.onnx").write_bytes(b"no graph")
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(LoadFailed, match="cannot open"):
            load(engine, broken)
        with pytest.raises(LoadFailed, match="gone"):
            engine.load(msgspec.structs.replace(manifest, components=[component]), whole, ["graph"])
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_other_content_other_options_and_unknown_content_are_opened_apart(engine: OnnxEngine, tmp_path: Path) -> None:
    folder = adder(tmp_path / "a", 1)
    models = [
        load(engine, folder),
        load(engine, adder(tmp_path / "b", 2)),
        load(engine, folder, options={"prepack": True}),
        load(engine, folder, digest=""),
        load(engine, folder, digest=""),
    ]
    assert len({id(session(model)) for model in models}) == len(models)


def test_a_shared_file_that_changes_fails_everybody_and_is_given_to_nobody_new(
    engine: OnnxEngine, tmp_path: Path
) -> None:
    folder = adder(tmp_path / "a", 1)
    first, second = load(engine, folder), load(engine, copied(folder, tmp_path / "b"))
    status = (folder / "model.onnx").stat()
    os.utime(folder / "model.onnx", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    for model in (first, second):
        with pytest.raises(StaleModel):
            model.components["graph"].run({"x": ONE})
    again = load(engine, tmp_path / "b")
    assert session(again) is not session(second)
    assert again.components["graph"].run({"x": ONE})[0].tolist() == [[2, 2]]


def test_a_file_replaced_by_rename_harms_nobody(engine: OnnxEngine, tmp_path: Path) -> None:
    model = load(engine, adder(tmp_path / "a", 1))
    other = adder(tmp_path / "b", 2) / "model.onnx"
    other.replace(tmp_path / "a" / "model.onnx")
    assert model.components["graph"].run({"x": ONE})[0].tolist() == [[2, 2]]


def test_two_models_in_one_worker_share_their_memory_and_go_on_without_each_other(tmp_path: Path) -> None:
    encoder = MODELS / "all-minilm-l6-v2"
    with WorkerHarness("onnx") as worker:
        worker.hello()
        # Prepacked weights are private memory, so that sharing shows.
        alone = worker.load(encoder, 1, options={"prepack": True})
        shared = worker.load(encoder, 2, name="the same", options={"prepack": True})
        assert alone.private_bytes > 30 * 2**20
        assert shared.private_bytes < 16 * 2**20, "a tokenizer of its own"
        assert shared.weights_bytes == alone.weights_bytes
        worker.load(adder(tmp_path, 1), 3)
        stats = worker.answer_to(worker.send(9))
        assert isinstance(stats, StatsReport)
        assert [model.weights_bytes for model in stats.models[:2]] == [alone.weights_bytes] * 2
        assert isinstance(worker.answer_to(worker.send(2, {"model": 1})), Unloaded)
        worker.load(adder(tmp_path, 1), 4)
        assert isinstance(worker.answer_to(worker.send(2, {"model": 3})), Unloaded)
        worker.admit(infer_task(1, {"x": ONE}, model=4))
        assert outputs_of(worker, 1)["y"].tolist() == [[2, 2]]


def adder(folder: Path, amount: float) -> Path:
    """A model that adds so much to each number."""
    bias = {"amount": np.full(2, amount, np.float32)}
    return write_model(folder, [node("Add", ["x", "amount"], ["y"])], [tensor("x")], [tensor("y")], initializers=bias)


def copied(folder: Path, to: Path) -> Path:
    """The same files elsewhere."""
    shutil.copytree(folder, to)
    return to


def load(engine: OnnxEngine, folder: Path, *, digest: str | None = None, **changes: Any) -> OnnxModel:
    """With all its components; `digest` in place of the manifest's."""
    manifest = load_meta(folder, 1, **changes)["manifest"]
    if digest is not None:
        manifest["components"][0]["files"][0]["sha256"] = digest
    return engine.load(msgspec.convert(manifest, Manifest), folder, ["graph"])


def session(model: OnnxModel) -> Any:
    """What its component uses."""
    return model.components["graph"]._session
