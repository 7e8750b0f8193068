"""From a graph's rows to scores, and the best of them."""

from collections.abc import Sequence
from math import prod
from typing import Literal

import numpy as np

from hearth_worker.engines.onnx_values import Array, is_tensor
from hearth_worker.failures import LoadFailed
from hearth_worker.protocol.reports import TensorPort


def check_output(ports: Sequence[TensorPort], labels: int) -> None:
    """Raises LoadFailed where the first output cannot be one score for each label."""
    port = ports[0]
    known = [length for length in port.shape[1:] if isinstance(length, int)]
    is_known = len(known) == len(port.shape) - 1
    if not is_tensor(port) or (is_known and prod(known) != labels):
        raise LoadFailed(
            f"There are {labels} labels, but the graph's output {port.name!r} is {port.dtype} {port.shape}."
        )


def as_scores(output: Array, rows: int, kind: Literal["softmax", "sigmoid", "none"]) -> list[Array]:
    """One row of scores for each picture."""
    table = np.asarray(output, np.float64).reshape(rows, -1)
    if kind == "softmax":
        raised = np.exp(table - table.max(axis=1, keepdims=True))
        table = raised / raised.sum(axis=1, keepdims=True)
    elif kind == "sigmoid":
        # Written so that no large power is taken on either side.
        table = 0.5 * (1 + np.tanh(0.5 * table))
    return list(table)


def are_numbers(row: Array) -> bool:
    """Whether none of them is infinite or undefined."""
    return bool(np.isfinite(row).all())


def best(row: Array, count: int) -> list[int]:
    """Places of the greatest, greatest first; of equal ones the earlier."""
    order: list[int] = np.argsort(-row, kind="stable")[:count].tolist()
    return order
