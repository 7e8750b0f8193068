"""Arrays of several tasks as one input of a run: without a copy where they lie side by side in memory already.

Rows of one batch do: those that a step has computed together lie together, and may run together in the next program.
"""

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from hearth_worker.engines.onnx_values import Array
from hearth_worker.programs.hand_over import figures


def place_of(array: Array) -> Hashable:
    """Equal for arrays of one shape that are parts of the same one."""
    return (array.shape, id(_whole(array)))


def in_runs(arrays: Sequence[Array]) -> list[list[int]]:
    """Their numbers, grouped so that those of a group, in its order, lie side by side."""
    order = sorted(range(len(arrays)), key=lambda number: (id(_whole(arrays[number])), _address(arrays[number])))
    runs: list[list[int]] = []
    for number in order:
        if runs and _follows(arrays[runs[-1][-1]], arrays[number]):
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def joined(arrays: Sequence[Array]) -> Array:
    """One contiguous array with an axis more: a view where they lie side by side in this order, else a copy, counted as
    gathered."""
    view = _view(arrays)
    if view is not None:
        return view
    batch = np.stack(arrays)
    figures.gathered_bytes += batch.nbytes
    return batch


def apart(rows: Array) -> list[Array]:
    """Its rows, none of which keeps the memory of the others: copies where there are several. They are made in the step
    that computed them, and are no hand-over."""
    return [row.copy() for row in rows] if len(rows) > 1 else [*rows]


def _view(arrays: Sequence[Array]) -> Array | None:
    first = arrays[0]
    if len(arrays) == 1:
        return first[None] if first.flags.c_contiguous else None
    if not all(_follows(one, other) for one, other in pairwise(arrays)):
        return None
    whole = _whole(first)
    begin = (_address(first) - _address(whole)) // first.itemsize
    flat = whole.reshape(-1)[begin : begin + first.size * len(arrays)]
    return flat.reshape(len(arrays), *first.shape)


def _follows(one: Array, other: Array) -> bool:
    return (
        _whole(one) is _whole(other)
        and _address(one) + one.nbytes == _address(other)
        and (one.shape, one.dtype) == (other.shape, other.dtype)
        and all(array.flags.c_contiguous for array in (one, other, _whole(one)))
        and _whole(one).dtype == one.dtype
    )


def _whole(array: Array) -> Array:
    """The array that it is a part of; itself where it is none."""
    return array.base if isinstance(array.base, np.ndarray) else array


def _address(array: Array) -> int:
    interface: dict[str, Any] = array.__array_interface__
    return int(interface["data"][0])
