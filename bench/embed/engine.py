"""The encoder alone: ONNX Runtime in this process, with the session options that Hearth gives it, in a loop.

    python engine.py MODEL_FOLDER THREADS

Reads one line of JSON per round, `{"batch": n, "milliseconds": t}`, and answers with one line, `{"itemsPerSecond": x}`.
Rows have 32 tokens; what is left out is everything but the runs: no tokeniser, no requests, no results.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime

TOKENS = 32
ERRORS_ONLY = 3


def main(folder: Path, threads: int) -> None:
    session = load(folder / "model.onnx", threads)
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"itemsPerSecond": measure(session, request["batch"], request["milliseconds"])}), flush=True)


def load(graph: Path, threads: int) -> onnxruntime.InferenceSession:
    """As hearth_worker/engines/onnx.py loads it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.disable_prepacking", "1")
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def measure(session: onnxruntime.InferenceSession, batch: int, milliseconds: float) -> float:
    ids = np.random.default_rng(1).integers(1000, 20000, (batch, TOKENS), np.int64)
    values = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    inputs = {port.name: values[port.name] for port in session.get_inputs()}
    runs = 0
    started_at = time.perf_counter()
    while (elapsed := time.perf_counter() - started_at) * 1000 < milliseconds:
        session.run(None, inputs)
        runs += 1
    return runs * batch / elapsed


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
