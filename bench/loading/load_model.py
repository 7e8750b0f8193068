"""One load of a model in a process of its own, by the worker's engine: component by component, or whole files first.

    python load_model.py MODEL_FOLDER THREADS

Reads one line of JSON, `{"way": "by-component" | "whole-files", "openers": n}` (threads that open components at the same
time), loads, and answers with one line: `{"firstComponentMs", "firstStepMs", "loadMs", "peakBytes"}`. The first step is
one of the UNet, for a prompt that was encoded before it. The peak is what the process held more than before the load.
"""

import json
import sys
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import numpy as np
from msgspec import convert

from hearth_worker.component_loader import Ended
from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.onnx import OnnxEngine, OnnxModel
from hearth_worker.model_load import LoadLimits, ModelLoad, ModelLoader
from hearth_worker.protocol.requests import Load, Policy

ENCODER = "text_encoder"
UNET = "unet"
# Of one picture: with what it is to be like, and unlike.
ROWS = 2
FORGET_PEAK = "5"


def main(folder: Path, threads: int) -> None:
    manifest = json.loads((folder / "model.json").read_bytes())
    engine = OnnxEngine(EngineSettings(threads, wake=lambda: None))
    print("ready", flush=True)
    asked = json.loads(sys.stdin.readline())
    before_bytes = resident_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text(FORGET_PEAK)
    load = by_component if asked["way"] == "by-component" else whole_files
    answer = load(engine, manifest, folder, asked["openers"])
    print(json.dumps({**answer, "peakBytes": resident_bytes("VmHWM") - before_bytes}), flush=True)


def by_component(engine: OnnxEngine, manifest: dict[str, Any], folder: Path, openers: int) -> dict[str, float]:
    """As a worker does, with nothing to do meanwhile but the first step."""
    begun_at = perf_counter()
    times: dict[str, float] = {}
    news_came = Event()
    loader = ModelLoader(engine, news_came.set, LoadLimits(threads=openers))
    model = loader.begin(model_load(manifest, folder))
    assert isinstance(model, OnnxModel), "this engine opens components one by one"
    while "loadMs" not in times:
        news_came.wait()
        news_came.clear()
        for _, news in loader.news():
            if not isinstance(news, Ended):
                times.setdefault("firstComponentMs", since(begun_at))
            elif news.error:
                raise news.error
            else:
                times["loadMs"] = since(begun_at)
        if "firstStepMs" not in times and {ENCODER, UNET} <= model.components.keys():
            step(model)
            times["firstStepMs"] = since(begun_at)
    return times


def whole_files(engine: OnnxEngine, manifest: dict[str, Any], folder: Path, _openers: int) -> dict[str, float]:
    """Every file is read to its end before anything is opened, and nothing is used before all is."""
    begun_at = perf_counter()
    files = [file["path"] for component in manifest["components"] for file in component["files"]]
    contents = [(folder / file).read_bytes() for file in files]
    model = engine.load(convert(manifest, Manifest), folder, names_of(manifest))
    contents.clear()
    load_ms = since(begun_at)
    step(model)
    return {"firstComponentMs": load_ms, "firstStepMs": since(begun_at), "loadMs": load_ms}


def model_load(manifest: dict[str, Any], folder: Path) -> ModelLoad:
    request = Load(model=1, manifest=manifest, directory=str(folder), components=names_of(manifest))
    policy = Policy(model=1, batch_limit=1, hold_ms=0, interactive_first=True)
    return ModelLoad(request, request_id=1, begun_at=0, cautious_policy=policy)


def names_of(manifest: dict[str, Any]) -> list[str]:
    return [component["name"] for component in manifest["components"]]


def step(model: OnnxModel) -> None:
    encoder, unet = model.components[ENCODER], model.components[UNET]
    ids = np.ones((ROWS, *encoder.inputs[0].shape[1:]), np.int64)
    context = encoder.run({"input_ids": ids})[0]
    channels_and_sides = next(port.shape[1:] for port in unet.inputs if port.name == "latents")
    latents = np.zeros((ROWS, *channels_and_sides), np.float32)
    unet.run({"latents": latents, "times": np.zeros(ROWS, np.float32), "context": context})


def since(begun_at: float) -> float:
    return (perf_counter() - begun_at) * 1000


def resident_bytes(field: str) -> int:
    """A field of proc(5)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
