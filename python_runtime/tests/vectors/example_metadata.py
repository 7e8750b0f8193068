"""Metadata of each type, as PROTOCOL.md section 4 describes it."""

from collections.abc import Mapping, Sequence
from typing import Any

Meta = Mapping[str, Any]

LARGEST_ID = 2**53 - 1


def task_of(number: int, changed: Meta | None = None) -> dict[str, Any]:
    """A task for the no-op program."""
    task = {
        "task": number,
        "model": 1,
        "program": "noop",
        "components": [],
        "request": {"parameters": {"value": {"ü": [1, 2.5, None]}}},
        "class": "interactive",
        "order": number,
        "credit": 4096,
        "attempt": 1,
    }
    return task | dict(changed or {})


def without(meta: Meta, name: str) -> dict[str, Any]:
    """The map less one field."""
    return {key: value for key, value in meta.items() if key != name}


def load_meta() -> Meta:
    """A LOAD of a small model."""
    component = {"name": "text-encoder", "format": "onnx", "files": [{"path": "model.onnx", "role": "graph"}]}
    manifest = {"name": "tiny", "engine": "onnx", "components": [component], "options": {"prepack": False}}
    return {"model": 1, "manifest": manifest, "directory": "/models/tiny", "components": ["text-encoder"]}


def verified_load_meta() -> Meta:
    """A LOAD that names the files of the model."""
    times = {"modifiedNs": "1795449600123456789", "changedNs": "1795449600987654321"}
    file = {"path": "/models/tiny/model.onnx", "device": "66306", "inode": "18446744073709551615", "sizeBytes": 27_567}
    return {**load_meta(), "files": [file | times]}


def policy_meta() -> dict[str, Any]:
    """A POLICY with every field."""
    composition = {"model": 1, "batchLimit": 32, "holdMs": 0.5, "interactiveFirst": True, "interruptAfterMs": 5}
    return composition | {"checkpointSteps": 5, "inferenceShare": 0.3, "limits": node_limits()}


def node_limits() -> list[Meta]:
    """What is known of a node's steps: everything, and no more than a limit."""
    learnt = {"batchClassLimit": 2, "holdMs": 4, "baseMs": 3.5, "stateMs": 0.25}
    unknown = {"shape": None, "batchClassLimit": None, "holdMs": None, "baseMs": None, "stateMs": None}
    return [
        {"node": "denoise", "shape": "4 64 64", "limit": 4, **learnt},
        {"node": "decode", "limit": 1, **unknown},
    ]


def step_times_meta() -> Meta:
    """A STEP_TIMES with every field."""
    step = {"model": 1, "node": "denoise", "shape": "4 64 64", "states": 2}
    return {
        "times": [
            {**step, "steps": 7, "ms": 41.25, "peakBytes": 33_554_432},
            {**step, "shape": "", "steps": 1, "ms": 0},
        ],
        "tooLarge": [{**step, "states": 8}],
    }


def following_task() -> dict[str, Any]:
    """A task with every field: it takes the outputs of two others, and its own is kept."""
    inputs = {"decode": 3, "upscale": LARGEST_ID}
    return task_of(5, {"class": "batch", "hold": True, "inputs": inputs, "stage": "postprocessing"})


def restore_meta(saved: object) -> Meta:
    """A RESTORE of one task."""
    return {"tasks": [task_of(1, {"saved": saved})]}


def checkpointed_meta(saved: object) -> Meta:
    """A CHECKPOINTED of one task."""
    return {"task": 1, "step": 5, "saved": saved}


def preview(picture: object) -> Meta:
    """A `preview` entry."""
    return {"kind": "preview", "task": 13, "step": 10, "mimeType": "image/png", "picture": picture}


def hello_meta() -> Meta:
    """A HELLO with every field."""
    return {
        "protocol": 1,
        "epoch": 12,
        "engine": "onnx",
        "pid": 4242,
        "programs": ["embed_text", "noop"],
        "capabilities": [],
        "versions": {"python": "3.11.7", "onnxruntime": "1.32.0"},
    }


def stats_meta() -> Meta:
    """A STATS_REPORT with every field."""
    return {
        "epoch": 12,
        "sequence": 3,
        "privateBytes": 9_000_000,
        "residentBytes": 99_000_000,
        "progress": 17,
        "cpuMs": 1250.5,
        "models": [{"model": 1, "weightsBytes": 90_868_376, "tasks": 2}],
        "gc": {"count": 4, "pauseMsMax": 1.5},
        "handOver": {"tensors": 12, "bytes": 49_152, "copiedBytes": 4096, "gatheredBytes": 98_304},
    }


def error_meta(code: str) -> Meta:
    """An ERROR."""
    return {"code": code, "message": "what was expected and what came", "retryable": False}


def steps_of(*entries: Meta) -> Meta:
    """A STEPS of these entries."""
    return {"entries": list(entries), "progress": 17}


def done(output: object) -> Meta:
    """A `done` entry."""
    return {"kind": "done", "task": 1, "output": output, "stepsRun": 1}


def failed(code: str) -> Meta:
    """A `failed` entry."""
    return {"kind": "failed", "task": 1, "code": code, "message": "why", "retryable": True}


def tensor(shape: Sequence[int], offset: int, length: int) -> dict[str, Any]:
    """A float32 tensor in the payload."""
    return {"dtype": "float32", "shape": list(shape), "span": {"offset": offset, "length": length}}


def tensors_meta() -> Meta:
    """A STEPS whose payload holds the results of two tasks."""
    first = done({"count": 1, "embeddings": tensor([1, 4], 0, 16)})
    second = done({"count": 2, "embeddings": tensor([2, 1], 16, 8)})
    return steps_of(first, {**second, "task": 2})


def slab_tensor(shape: Sequence[int], length: int) -> dict[str, Any]:
    """A float32 tensor in a slab."""
    slab = {"slabId": 3, "generation": 7, "offset": 64, "length": length}
    return {"dtype": "float32", "shape": list(shape), "slab": slab}


def transfer_tensor(shape: Sequence[int], length: int) -> dict[str, Any]:
    """A float32 tensor that came in chunks."""
    return {"dtype": "float32", "shape": list(shape), "transfer": {"id": 4, "length": length}}


def large_tensors_meta() -> Meta:
    """A STEPS with a tensor of each kind."""
    output = {"a": slab_tensor([100, 200], 80_000), "b": [transfer_tensor([50, 200], 40_000)], "c": tensor([2], 0, 8)}
    return steps_of(done(output))


def every_entry() -> list[Meta]:
    """One entry of each kind."""
    return [
        {"kind": "started", "task": 1},
        {"kind": "step", "task": 2, "done": 3, "total": 20, "unit": "steps"},
        {"kind": "step", "task": 3, "done": 3, "unit": "tokens"},
        {"kind": "text", "task": 3, "item": 0, "text": "naïve 🌈"},
        {"kind": "done", "task": 4, "output": {"text": "ok", "nested": {"a": [None, 1.5]}}, "stepsRun": 7},
        *({**failed(code), "task": 20 + index} for index, code in enumerate(failure_codes())),
        {"kind": "cancelled", "task": 9, "output": {"text": "so far"}, "stepsRun": 2},
        {"kind": "cancelled", "task": 10, "stepsRun": 0},
        {"kind": "withdrawn", "task": 11},
        {"kind": "paused", "task": 12, "stateBytes": 4096},
        preview(b"\x89PNG\x00\xff"),
        {"kind": "done", "task": 14, "output": {}, "stepsRun": 20, "heldBytes": 4096},
    ]


def failure_codes() -> Sequence[str]:
    """The codes of section 4."""
    return (
        "out_of_memory",
        "engine_error",
        "deadline_exceeded",
        "invalid_request",
        "stale_model",
        "artifact_missing",
        "input_missing",
    )
