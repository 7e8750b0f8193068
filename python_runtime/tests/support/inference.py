"""Tasks of `infer` and what they gave."""

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.requests import task
from tests.support.worker_harness import WorkerHarness

Given = Mapping[str, NDArray[Any]]


def infer_task(number: int, inputs: Given, *, outputs: Sequence[str] | None = None, **fields: Any) -> dict[str, Any]:
    """A task on the model that `write_model` made; strings as object arrays."""
    tensors = [as_input(name, array) for name, array in inputs.items()]
    return raw_task(number, tensors, outputs=outputs, **fields)


def raw_task(
    number: int, tensors: Sequence[Mapping[str, Any]], *, outputs: Sequence[str] | None = None, **fields: Any
) -> dict[str, Any]:
    """A task with tensors just as given."""
    request = {"tensors": tensors, "outputs": outputs}
    return task(number, program="infer", components=["graph"], request=request, **fields)


def as_input(name: str, array: NDArray[Any]) -> dict[str, Any]:
    """Inline."""
    if array.dtype.kind == "O":
        return {"name": name, "dtype": "string", "shape": list(array.shape), "values": array.ravel().tolist()}
    return {"name": name, "dtype": array.dtype.name, "shape": list(array.shape), "data": array.tobytes()}


def in_file(name: str, path: Path, dtype: str, shape: Sequence[int]) -> dict[str, Any]:
    """By path."""
    return {"name": name, "dtype": dtype, "shape": list(shape), "path": str(path)}


def outputs_of(worker: WorkerHarness, number: int) -> dict[str, Any]:
    """By name: arrays (bfloat16 as uint16), and lists of texts. The task has to be done."""
    for entry, payload in worker.entries():
        if entry["task"] == number and entry["kind"] in ("done", "failed"):
            assert entry["kind"] == "done", entry
            return {each["name"]: _value(worker, each, payload) for each in entry["output"]["tensors"]}
    raise AssertionError("unreachable: entries() raises at the end of the stream")


def refusal_of(worker: WorkerHarness, number: int) -> tuple[str, str]:
    """Code and words of a task's failure."""
    end = worker.wait_for_end_of(number)[number]
    assert end["kind"] == "failed", end
    return end["code"], end["message"]


def _value(worker: WorkerHarness, named: Any, payload: bytes) -> Any:
    if "values" in named:
        assert len(named["values"]) == prod(named["shape"])
        return np.array(named["values"], object).reshape(named["shape"])
    tensor = named["tensor"]
    dtype = "uint16" if tensor["dtype"] == "bfloat16" else tensor["dtype"]
    return np.frombuffer(worker.bytes_of(tensor, payload), dtype).reshape(tensor["shape"])
