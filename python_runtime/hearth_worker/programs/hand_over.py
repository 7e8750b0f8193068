"""Outputs that one task hands to the next within a worker: as references; and the count of what is copied all the same.

Copied bytes are memory copies between the kernel that produced a tensor and the kernel that takes it. ONNX Runtime's
outputs are arrays over its own memory, rows of a batch are views of them, and inputs are read where they lie; so
nothing is copied as long as programs take arrays as they are. Results of computations are no copies: a sampler's new
latents, eight-bit pixels made of floats. Rows that are gathered for a run which several tasks share are counted apart.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from hearth_worker.failures import InputMissing
from hearth_worker.protocol.tensors import Tensor

if TYPE_CHECKING:
    from hearth_worker.engines.onnx_values import Array


class HandOverFigures(Struct):
    """Since the worker's start."""

    # Tensors that a task took from another, and their bytes.
    tensors: int = 0
    bytes: int = 0
    # Of these, copied on the way.
    copied_bytes: int = 0
    # Put beside those of other tasks for a run that they share: what company costs, at each step anew.
    gathered_bytes: int = 0


figures = HandOverFigures()


def taken(inputs: Mapping[str, object], field: str) -> "Array":
    """The tensor called `field` of the outputs that a task follows, as an array over the same memory.

    Where several have one, the last: a manifest names nodes in the order that a picture goes through. Raises
    InputMissing.
    """
    # Here, not above: the figures are read in workers that need no numpy.
    import numpy as np

    tensor = next((found for output in reversed([*inputs.values()]) if (found := _tensor(output, field))), None)
    if tensor is None:
        given = ", ".join(inputs) or "no task"
        raise InputMissing(f"The task follows one whose output has {field!r}; it was given that of {given}.")
    array = tensor.data if isinstance(tensor.data, np.ndarray) else np.frombuffer(tensor.bytes(), tensor.dtype)
    array = array.reshape(tensor.shape)
    figures.tensors += 1
    figures.bytes += array.nbytes
    if not array.flags.c_contiguous:
        figures.copied_bytes += array.nbytes
        array = np.ascontiguousarray(array)
    return array


def _tensor(output: object, field: str) -> Tensor | None:
    found = output.get(field) if isinstance(output, Mapping) else getattr(output, field, None)
    return found if isinstance(found, Tensor) else None
