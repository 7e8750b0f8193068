"""A model that does not fit is told apart from a broken one, and a closed one is gone."""

import subprocess
import sys
from pathlib import Path

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.onnx import OnnxEngine
from tests.test_onnx_engine import MINILM, manifest

# In a process of its own: the limit would be this one's for good.
LOAD_WITHOUT_ROOM = """
import resource
from pathlib import Path
import msgspec
from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.onnx import OnnxEngine
from hearth_worker.failures import OutOfMemory
from tests.test_onnx_engine import MINILM, manifest
engine = OnnxEngine(EngineSettings(threads=1, wake=lambda: None))
prepacked = msgspec.structs.replace(manifest(), options={"prepack": True})
lines = Path("/proc/self/status").read_text().splitlines()
used_kib = int(next(line for line in lines if line.startswith("VmData")).split()[1])
resource.setrlimit(resource.RLIMIT_DATA, ((used_kib + 4096) * 1024, resource.RLIM_INFINITY))
try:
    engine.load(prepacked, MINILM, ["text-encoder"])
except OutOfMemory:
    print("out of memory")
"""


def test_a_model_that_does_not_fit_is_out_of_memory() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOAD_WITHOUT_ROOM],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert ended.stdout == "out of memory\n", ended.stderr


def test_closing_frees_the_session_whoever_holds_the_component() -> None:
    model = OnnxEngine(EngineSettings(threads=1, wake=lambda: None)).load(manifest(), MINILM, ["text-encoder"])
    held = model.components["text-encoder"]
    model.close()
    assert held._session._session is None
