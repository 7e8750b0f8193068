"""The ONNX engine by itself."""

from pathlib import Path
from threading import Thread

import msgspec
import numpy as np
import pytest

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.onnx import OnnxEngine, OnnxModel
from hearth_worker.failures import LoadFailed
from tests.support.requests import MODELS

MINILM = MODELS / "all-minilm-l6-v2"


@pytest.fixture(scope="module")
def model() -> OnnxModel:
    return OnnxEngine(EngineSettings(threads=1, wake=lambda: None)).load(manifest(), MINILM, ["text-encoder"])


def test_a_run_can_be_terminated_from_another_thread_and_the_session_used_again(model: OnnxModel) -> None:
    encoder = model.components["text-encoder"]
    failures: list[Exception] = []

    def run() -> None:
        try:
            encoder.run(rows(64, 256))
        except Exception as error:
            failures.append(error)

    running = Thread(target=run)
    running.start()
    while running.is_alive():
        encoder.terminate()
    running.join()
    assert len(failures) == 1
    assert "terminate" in str(failures[0])
    assert encoder.run(rows(2, 8))[0].shape == (2, 384)


def test_an_unknown_component_is_named(model: OnnxModel) -> None:
    engine = OnnxEngine(EngineSettings(threads=1, wake=lambda: None))
    with pytest.raises(LoadFailed, match="no component 'decoder'; it has text-encoder"):
        engine.load(model.manifest, MINILM, ["decoder"])


def test_options_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    engine = OnnxEngine(EngineSettings(threads=1, wake=lambda: None))
    wrong = msgspec.structs.replace(manifest(), options={"prepack": "maybe"})
    with pytest.raises(LoadFailed, match="prepack"):
        engine.load(wrong, tmp_path, ["text-encoder"])
    nameless = msgspec.structs.replace(manifest(), options={"prepack": ["decoder"]})
    with pytest.raises(LoadFailed, match="has no component 'decoder', which"):
        engine.load(nameless, tmp_path, ["text-encoder"])


def test_a_component_is_prepacked_where_it_is_named_and_shared_with_those_that_have_the_same(model: OnnxModel) -> None:
    engine = OnnxEngine(EngineSettings(threads=1, wake=lambda: None))
    prepacks: list[bool | list[str]] = [False, [], True, ["text-encoder"]]
    loaded = [
        engine.load(msgspec.structs.replace(manifest(), options={"prepack": prepack}), MINILM, ["text-encoder"])
        for prepack in prepacks
    ]
    sessions = [each.components["text-encoder"]._session for each in loaded]
    assert sessions[0] is sessions[1] is not sessions[2]
    assert sessions[2] is sessions[3]
    for each in loaded:
        each.close()


def manifest() -> Manifest:
    """The starter model's."""
    return msgspec.json.decode((MINILM / "model.json").read_bytes(), type=Manifest)


def rows(count: int, tokens: int) -> dict[str, np.typing.NDArray[np.int64]]:
    """That many rows of the same token."""
    ids = np.full((count, tokens), 2000, np.int64)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}
