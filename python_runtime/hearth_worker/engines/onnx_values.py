"""Tensors as ONNX Runtime takes and gives them: numpy arrays, and what numpy has no type for."""

import ctypes
from math import prod
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from hearth_worker.protocol.reports import TensorPort

Array = NDArray[Any]

BFLOAT16 = "bfloat16"
# ONNX's own number of the type.
BFLOAT16_NUMBER = 16
BFLOAT16_BYTES = 2
# ONNX's names that differ from numpy's.
NUMPY_NAMES = {"float": "float32", "double": "float64"}


def port_of(port: onnxruntime.NodeArg) -> TensorPort:
    """`tensor(float)` becomes `float32`; what is no tensor keeps ONNX Runtime's words, e.g. `seq(map(int64,...))`.

    ONNX Runtime gives the same empty shape for a single number and for a tensor of unknown rank.
    """
    words = str(port.type)
    if words.startswith("tensor("):
        words = words.removeprefix("tensor(").removesuffix(")")
    return TensorPort(port.name, NUMPY_NAMES.get(words, words), list(port.shape))


def is_tensor(port: TensorPort) -> bool:
    """Whether it is one, and no sequence, map or optional value."""
    return "(" not in port.dtype


def from_array(array: Array, dtype: str) -> onnxruntime.OrtValue:
    """Without a copy; bfloat16 comes as uint16, which holds its bits."""
    if dtype == BFLOAT16:
        return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(np.ascontiguousarray(array), BFLOAT16_NUMBER)
    return onnxruntime.OrtValue.ortvalue_from_numpy(array)


def to_array(value: onnxruntime.OrtValue) -> Any:
    """An array; of uint16 for bfloat16."""
    if value.data_type() != f"tensor({BFLOAT16})":
        return value.numpy()
    shape = value.shape()
    count = prod(shape)
    data = ctypes.string_at(value.data_ptr(), count * BFLOAT16_BYTES) if count else b""
    return np.frombuffer(data, np.uint16).reshape(shape)
