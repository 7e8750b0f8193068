"""Requests side by side along the first axis of every input, and their outputs apart again."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from hearth_worker.engines.onnx_values import Array


def rows_of(inputs: Mapping[str, Array]) -> int | None:
    """How many rows all inputs have; None where they do not agree, or there are none."""
    counts = {array.shape[0] if array.ndim > 0 else 0 for array in inputs.values()}
    return counts.pop() or None if len(counts) == 1 else None


def kind_of(inputs: Mapping[str, Array]) -> Hashable:
    """Equal for those that can stand side by side."""
    return tuple(sorted((name, array.dtype.str, array.shape[1:]) for name, array in inputs.items()))


def count_that_fit(rows: Sequence[int], rows_max: int) -> int:
    """How many from the first on share a run; the first always runs."""
    total = 0
    for index, count in enumerate(rows):
        total += count
        if index > 0 and total > rows_max:
            return index
    return len(rows)


def join(requests: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """All their rows, in order."""
    return {name: np.concatenate([inputs[name] for inputs in requests]) for name in requests[0]}


def split(outputs: Sequence[Any], rows: Sequence[int]) -> list[list[Any]]:
    """The outputs of each. Raises ValueError where an output does not have a row for each row of the inputs."""
    ends = np.cumsum(rows).tolist()
    for output in outputs:
        if (len(output) if isinstance(output, list) or output.ndim > 0 else None) != ends[-1]:
            raise ValueError(f"the graph did not give one row for each of {ends[-1]} rows")
    return [[output[end - count : end] for output in outputs] for end, count in zip(ends, rows, strict=True)]
