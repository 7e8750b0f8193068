"""What runs of a model's components cost alone: opened by the worker's own engine, in this process, run in a loop.

    python curves.py MODEL_FOLDER THREADS

Reads one line of JSON per round, `{"component": name, "rows": n, "milliseconds": t}`, and answers with one line,
`{"runMs": x}`, the mean of the runs. Inputs have the right shapes and no meaning: what a run takes does not depend on it.
"""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.onnx import OnnxComponent, OnnxEngine, OnnxModel

# Where a graph takes pictures of any size: as large as the starter model makes them.
SIDE = 64


def main(folder: Path, threads: int) -> None:
    model = load(folder, threads)
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        component = model.components[asked["component"]]
        run_ms = measure(component, inputs_of(component, asked["rows"]), asked["milliseconds"])
        print(json.dumps({"runMs": run_ms}), flush=True)


def load(folder: Path, threads: int) -> OnnxModel:
    manifest = msgspec.json.decode((folder / "model.json").read_bytes(), type=Manifest)
    engine = OnnxEngine(EngineSettings(threads, wake=lambda: None))
    return engine.load(manifest, folder, [component.name for component in manifest.components])


def measure(component: OnnxComponent, inputs: Mapping[str, Any], milliseconds: float) -> float:
    # The first run of a size takes memory from the system.
    component.run(inputs)
    runs = 0
    started_at = time.perf_counter()
    while (elapsed := time.perf_counter() - started_at) * 1000 < milliseconds or runs == 0:
        component.run(inputs)
        runs += 1
    return elapsed * 1000 / runs


def inputs_of(component: OnnxComponent, rows: int) -> dict[str, Any]:
    random = np.random.default_rng(1)
    inputs: dict[str, Any] = {}
    for port in component.inputs:
        shape = (rows, *(side if isinstance(side, int) else SIDE for side in port.shape[1:]))
        is_ids = port.dtype == "int64"
        inputs[port.name] = np.ones(shape, np.int64) if is_ids else random.standard_normal(shape).astype(port.dtype)
    return inputs


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
