"""Finds out whether rows of different requests may share a run of a graph.

Symbolic dimensions only say that a graph takes any number of rows. It may still mix them: by a softmax over the first
axis, by the statistics of a batch, by a scale that dynamic quantisation takes from all of them. So random rows are run
alone and together; only where both give the same, rows are joined.
"""

import re
from collections.abc import Mapping, Sequence
from math import prod
from threading import Timer
from typing import TYPE_CHECKING, Any

import numpy as np

from hearth_worker.engines.onnx_values import BFLOAT16, Array, is_tensor
from hearth_worker.failures import words_of
from hearth_worker.programs import join_rows
from hearth_worker.protocol.reports import TensorPort

if TYPE_CHECKING:
    from hearth_worker.engines.onnx import OnnxComponent

# Rows of the two requests that are tried.
ROWS = (1, 2)
# Each row is of another size, so that a scale taken from all rows shows in the small ones.
SCALES = (0.25, 1.0, 4.0)
# Where a dimension is free; the first that the graph can compute. Pictures and windows need some length.
FREE_LENGTHS = (8, 64)
# Numbers below these are tried as indices; the first that the graph can compute.
INDEX_LIMITS = (50, 2)
# Of all inputs and outputs together. What lies between them takes a multiple that nobody has reserved at loading, and
# graphs of large pictures gain nothing from company on a CPU.
ELEMENTS_MAX = 2_000_000
# A graph that needs longer gains little from company, and loading should not wait for it.
PROBE_S_MAX = 3.0
# Of the largest value of an output. Other orders of summation stay far below, a shared scale of 8 bits far above.
TOLERANCE = 2e-4
TOLERANCE_HALF = 2e-2
# What exporters call a dimension that has no name: tf2onnx, paddle2onnx, PyTorch. The server knows them too.
NAMELESS = re.compile(r"(unk__\d+|(p2o\.)?DynamicDimension\.\d+|\w+_dim_\d+)$")

Rows = list[dict[str, Array]]


def why_rows_stay_apart(component: "OnnxComponent") -> str | None:
    """None: they may be joined. Otherwise why not, in words that go on a sentence."""
    reason = _why_shapes_forbid(component)
    if reason is not None:
        return reason
    late = Timer(PROBE_S_MAX, component.terminate)
    late.daemon = True
    failure = "its inputs and outputs are too large to try it"
    late.start()
    try:
        for requests in _requests(component):
            if not late.is_alive():
                return f"trying it took longer than {PROBE_S_MAX:.0f} s"
            try:
                return _why_results_differ(component, requests)
            except Exception as error:  # Whatever it is, it says only that these rows were no good.
                failure = f"random rows could not be computed ({words_of(error)[:300]})"
    finally:
        late.cancel()
        # If it is just about to fire: it is to end no later run.
        late.join()
    return failure


def _why_shapes_forbid(component: "OnnxComponent") -> str | None:
    names: set[str] = set()
    if not component.inputs:
        return "it has no inputs"
    for port in component.inputs:
        if not is_tensor(port) or not port.shape or isinstance(port.shape[0], int):
            return f"input {port.name!r} has no free first dimension"
        names |= _name(port)
    for port in component.outputs:
        if is_tensor(port):
            if not port.shape or isinstance(port.shape[0], int):
                return f"output {port.name!r} has no free first dimension"
            names |= _name(port)
    if len(names) > 1:
        return f"the first dimensions have different names ({', '.join(sorted(names))})"
    return None


def _name(port: TensorPort) -> set[str]:
    first = port.shape[0]
    return {first} if isinstance(first, str) and not NAMELESS.match(first) else set()


def _requests(component: "OnnxComponent") -> "list[Rows]":
    """Two requests each, of every kind that is to be tried and is not too large."""
    ports = [*component.inputs, *(port for port in component.outputs if is_tensor(port))]
    lengths = [length for length in FREE_LENGTHS if _elements(ports, length) <= ELEMENTS_MAX]
    return [_rows(component.inputs, length, below) for length in lengths for below in INDEX_LIMITS]


def _elements(ports: Sequence[TensorPort], free_length: int) -> int:
    return sum(ROWS) * sum(prod(_row_shape(port, free_length)) for port in ports)


def _row_shape(port: TensorPort, free_length: int) -> list[int]:
    return [length if isinstance(length, int) else free_length for length in port.shape[1:]]


def _rows(ports: Sequence[TensorPort], free_length: int, below: int) -> Rows:
    shapes = {port.name: _row_shape(port, free_length) for port in ports}
    random = np.random.default_rng(7)
    scales = iter(SCALES)
    return [
        join_rows.join([{p.name: _row(p, shapes[p.name], random, scale, below) for p in ports} for scale in taken])
        for taken in [[next(scales) for _ in range(count)] for count in ROWS]
    ]


def _row(port: TensorPort, shape: list[int], random: np.random.Generator, scale: float, below: int) -> Array:
    shape = [1, *shape]
    if port.dtype == "string":
        return random.choice(np.array(["a", "b", "a b"], object), shape)
    if port.dtype == "bool":
        return random.integers(0, 2, shape).astype(np.bool_)
    if port.dtype == BFLOAT16:
        # The upper half of a float32.
        bits: Array = (random.standard_normal(shape).astype(np.float32) * np.float32(scale)).view(np.uint32) >> 16
        return bits.astype(np.uint16)
    kind = np.dtype(port.dtype)
    if kind.kind == "f":
        return (random.standard_normal(shape) * scale).astype(kind)
    return random.integers(0, below, shape).astype(kind)


def _why_results_differ(component: "OnnxComponent", requests: Rows) -> str | None:
    names = [port.name for port in component.outputs]
    together = join_rows.split(component.run(join_rows.join(requests), names), ROWS)
    for alone_inputs, among in zip(requests, together, strict=True):
        alone = component.run(alone_inputs, names)
        for port, one, other in zip(component.outputs, alone, among, strict=True):
            if not _are_alike(port, one, other):
                return f"output {port.name!r} of a row depends on the other rows"
    return None


def _are_alike(port: TensorPort, one: Any, other: Any) -> bool:
    if not is_tensor(port):
        return len(one) == len(other) and all(map(_are_alike_items, one, other))
    if port.dtype == BFLOAT16:
        one, other = _widened(one), _widened(other)
    return _are_alike_arrays(one, other, TOLERANCE_HALF if port.dtype in (BFLOAT16, "float16") else TOLERANCE)


def _are_alike_items(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping):
        keys = list(one)
        return keys == list(other) and _are_alike_items([one[key] for key in keys], [other[key] for key in keys])
    return _are_alike_arrays(np.asarray(one), np.asarray(other), TOLERANCE)


def _are_alike_arrays(one: Array, other: Array, tolerance: float) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if one.dtype.kind != "f" or one.size == 0:
        return bool(np.array_equal(one, other))
    finite = np.abs(one[np.isfinite(one)])
    largest = float(finite.max()) if finite.size else 0.0
    return bool(np.allclose(one, other, rtol=0, atol=tolerance * largest, equal_nan=True))


def _widened(bits: Array) -> Array:
    return (bits.astype(np.uint32) << 16).view(np.float32)
