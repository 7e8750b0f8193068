"""Equal components of models that are loaded at the same time."""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import msgspec
import numpy as np
import pytest

from hearth_worker.engines import shared_sessions
from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import ComponentFiles, Manifest
from hearth_worker.engines.onnx import OnnxComponent, OnnxEngine, OnnxModel
from hearth_worker.engines.onnx_session import OnnxOptions, OnnxSession
from hearth_worker.engines.shared_sessions import SharedSessions
from hearth_worker.failures import LoadFailed
from hearth_worker.model_load import LoadLimits
from hearth_worker.models import LoadEnded
from hearth_worker.protocol.reports import Loaded
from hearth_worker.protocol.requests import Load
from tests.support.graphs import node, tensor, write_model
from tests.support.listener import WAIT_S_MAX
from tests.support.loading import LoadingModels
from tests.support.requests import load_meta

ONE = np.ones((1, 2), np.float32)
TAKERS = 8


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the components whose graphs were opened, in order."""
    opened: list[str] = []

    def open_session(files: ComponentFiles, threads: int, options: OnnxOptions) -> OnnxSession:
        opened.append(files.component.name)
        return OnnxSession(files, threads, options)

    monkeypatch.setattr(shared_sessions, "OnnxSession", open_session)
    return opened


def test_a_second_model_with_another_unet_shares_encoder_and_vae(tmp_path: Path, opened: list[str]) -> None:
    first = pipeline(tmp_path / "first", {"encoder": 1, "unet": 2, "vae": 3})
    second = pipeline(tmp_path / "second", {"encoder": 1, "unet": 20, "vae": 3})
    engine = OnnxEngine(EngineSettings(threads=1, wake=lambda: None))
    loading = LoadingModels(engine, limits=LoadLimits(threads=4))
    for model, folder in ((1, first), (2, second)):
        loading.models.begin_load(msgspec.convert(load_meta(folder, model), Load), request_id=model)
    news = loading.news()
    ends: list[LoadEnded] = []
    while len(ends) < 2:
        told = next(news)
        if isinstance(told, LoadEnded):
            ends.append(told)
    assert all(isinstance(end.result, Loaded) for end in ends)
    assert sorted(opened) == ["encoder", "unet", "unet", "vae"]
    one, other = (components_of(loading, model) for model in (1, 2))
    assert [one[name]._session is other[name]._session for name in ("encoder", "unet", "vae")] == [True, False, True]
    loading.models.unload(1)
    assert [other[name].run({"x": ONE})[0].tolist() for name in other] == [[[2, 2]], [[21, 21]], [[4, 4]]]
    loading.models.unload(2)
    assert other["vae"]._session._session is None, "the last to leave frees it"


def test_whoever_asks_for_what_is_just_being_opened_waits_for_it(tmp_path: Path, opened: list[str]) -> None:
    folder = pipeline(tmp_path / "model", {"unet": 1})
    sessions = SharedSessions(threads=1)
    together = Barrier(TAKERS)

    def take(_: int) -> OnnxSession:
        together.wait(WAIT_S_MAX)
        return sessions.take(files_of(folder), OnnxOptions())

    with ThreadPoolExecutor(TAKERS) as takers:
        taken = list(takers.map(take, range(TAKERS)))
        assert opened == ["unet"]
        assert {id(session) for session in taken} == {id(taken[0])}
        assert taken[0].holders == TAKERS
        list(takers.map(sessions.give_back, taken))
    assert taken[0]._session is None


def test_what_could_not_be_opened_is_tried_anew_by_each_who_waited(tmp_path: Path, opened: list[str]) -> None:
    folder = pipeline(tmp_path / "model", {"unet": 1})
    (folder / "unet.onnx").write_bytes(b"no graph")
    sessions = SharedSessions(threads=1)

    def refused(_: int) -> bool:
        with pytest.raises(LoadFailed):
            sessions.take(files_of(folder), OnnxOptions())
        return True

    with ThreadPoolExecutor(TAKERS) as takers:
        assert all(takers.map(refused, range(TAKERS)))
    assert len(opened) == TAKERS


def pipeline(folder: Path, amounts: Mapping[str, float]) -> Path:
    """A model whose components each add so much to each number."""
    folder.mkdir()
    components: list[dict[str, Any]] = []
    for name, amount in amounts.items():
        bias = {"amount": np.full(2, amount, np.float32)}
        adder = [node("Add", ["x", "amount"], ["y"])]
        graph = write_model(folder / name, adder, [tensor("x")], [tensor("y")], initializers=bias) / "model.onnx"
        graph = graph.rename(folder / f"{name}.onnx")
        digest = hashlib.sha256(graph.read_bytes()).hexdigest()
        files = [{"path": graph.name, "role": "graph", "sha256": digest}]
        components.append({"name": name, "format": "onnx", "files": files, "dependsOn": []})
    manifest = {"name": folder.name, "engine": "onnx", "components": components, "graph": []}
    (folder / "model.json").write_text(json.dumps(manifest))
    return folder


def files_of(folder: Path) -> ComponentFiles:
    """Of its only component."""
    manifest = msgspec.json.decode((folder / "model.json").read_bytes(), type=Manifest)
    return ComponentFiles(manifest.components[0], folder)


def components_of(loading: LoadingModels, model: int) -> dict[str, OnnxComponent]:
    """Those that are open, by name in the manifest's order."""
    loaded = loading.models._resident[model].loaded
    assert isinstance(loaded, OnnxModel)
    return {component.name: loaded.components[component.name] for component in loaded.manifest.components}
