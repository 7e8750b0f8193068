"""Input tensors of a request as arrays, checked against what the graph takes. Files are mapped, not read."""

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from hearth_worker.engines.onnx_values import BFLOAT16, Array
from hearth_worker.failures import InvalidRequest, words_of
from hearth_worker.programs.files import missing
from hearth_worker.programs.infer_tensors import InputTensor
from hearth_worker.protocol.reports import TensorPort
from hearth_worker.protocol.tensors import ITEM_BYTES

if TYPE_CHECKING:
    from hearth_worker.engines.onnx import OnnxComponent

STRING = "string"
NPY_MAGIC = b"\x93NUMPY"
# Of what a library says.
WORDS_MAX = 200
# What numpy can hold.
DIMENSIONS_MAX = 64


def read_inputs(component: "OnnxComponent", tensors: Sequence[InputTensor]) -> dict[str, Array]:
    """By name. Raises InvalidRequest, which names the tensor, and ArtifactMissing."""
    ports = {port.name: port for port in [*component.inputs, *component.optional_inputs]}
    inputs: dict[str, Array] = {}
    for tensor in tensors:
        port = ports.get(tensor.name)
        if port is None:
            raise InvalidRequest(f"There is no input {tensor.name!r}; the model takes {', '.join(ports)}.")
        if tensor.name in inputs:
            raise InvalidRequest(f"Input {tensor.name!r} is given twice.")
        _check_kind(tensor, port)
        inputs[tensor.name] = _array(tensor)
    absent = [port.name for port in component.inputs if port.name not in inputs]
    if absent:
        raise InvalidRequest(f"These inputs are missing: {', '.join(absent)}.")
    return inputs


def _check_kind(tensor: InputTensor, port: TensorPort) -> None:
    """An empty shape of the port may stand for any: ONNX Runtime does not tell."""
    if tensor.dtype != port.dtype:
        raise InvalidRequest(f"Input {port.name!r} takes {port.dtype}, not {tensor.dtype}.")
    if tensor.dtype not in ITEM_BYTES and tensor.dtype != STRING:
        raise InvalidRequest(f"Input {port.name!r} is of type {port.dtype}, which cannot be sent.")
    if len(tensor.shape) > DIMENSIONS_MAX:
        raise InvalidRequest(f"Input {port.name!r} has {len(tensor.shape)} dimensions; {DIMENSIONS_MAX} are possible.")
    fits = len(port.shape) == len(tensor.shape) and all(
        not isinstance(wanted, int) or wanted == given for wanted, given in zip(port.shape, tensor.shape, strict=True)
    )
    if port.shape and not fits:
        wanted = ", ".join("any" if length is None else str(length) for length in port.shape)
        raise InvalidRequest(f"Input {port.name!r} takes the shape [{wanted}], not {tensor.shape}.")


def _array(tensor: InputTensor) -> Array:
    given = [each for each in (tensor.data, tensor.values, tensor.path) if each is not None]
    if len(given) != 1 or (tensor.values is not None) != (tensor.dtype == STRING):
        expected = "values" if tensor.dtype == STRING else "either data or a path"
        raise InvalidRequest(f"Input {tensor.name!r} of dtype {tensor.dtype} needs {expected}, and nothing else.")
    if tensor.values is not None:
        return _texts(tensor, tensor.values)
    if tensor.data is not None:
        _check_size(tensor, len(tensor.data))
        return _plain(np.frombuffer(tensor.data, _numpy_type(tensor.dtype)).reshape(tensor.shape))
    assert tensor.path is not None
    try:
        return _plain(_mapped(tensor, tensor.path))
    except FileNotFoundError as error:
        raise missing(tensor.path) from error


def _plain(array: Array) -> Array:
    """With every bool 0 or 1: files may hold any byte, but operators count on these."""
    if array.dtype != np.bool_ or array.size == 0 or array.view(np.uint8).max() <= 1:
        return array
    truths: Array = array.view(np.uint8) != 0
    return truths


def _texts(tensor: InputTensor, values: list[str]) -> Array:
    count = prod(tensor.shape)
    if len(values) != count:
        raise InvalidRequest(f"Input {tensor.name!r} has {len(values)} texts, but its shape needs {count}.")
    return np.array(values, object).reshape(tensor.shape)


def _mapped(tensor: InputTensor, path: str) -> Array:
    """Raises FileNotFoundError and what _check_size raises."""
    dtype = _numpy_type(tensor.dtype)
    with open(path, "rb") as file:  # noqa: PTH123
        is_npy = file.read(len(NPY_MAGIC)) == NPY_MAGIC
        size_bytes = file.seek(0, 2)
    if is_npy and size_bytes != _size_bytes(tensor):
        return _npy(tensor, path, dtype)
    _check_size(tensor, size_bytes)
    if size_bytes == 0:
        return np.empty(tensor.shape, dtype)
    return np.memmap(path, dtype, "r", shape=tuple(tensor.shape))


def _npy(tensor: InputTensor, path: str, dtype: "np.dtype[np.generic]") -> Array:
    try:
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # Headers that somebody made up end anywhere in numpy, and in the parsers it uses.
        words = words_of(error)[:WORDS_MAX]
        raise InvalidRequest(f"The .npy file of input {tensor.name!r} cannot be read: {words}") from error
    if array.dtype.newbyteorder("=") != dtype.newbyteorder("=") or list(array.shape) != tensor.shape:
        raise InvalidRequest(
            f"The .npy file of input {tensor.name!r} holds {array.dtype} {list(array.shape)}, "
            f"not {tensor.dtype} {tensor.shape}."
        )
    # Other byte orders and Fortran's order are copied; what is in order already is not.
    return np.ascontiguousarray(array, dtype).reshape(tensor.shape)


def _check_size(tensor: InputTensor, size_bytes: int) -> None:
    expected_bytes = _size_bytes(tensor)
    if size_bytes != expected_bytes:
        raise InvalidRequest(
            f"Input {tensor.name!r} of {tensor.dtype} {tensor.shape} takes {expected_bytes} bytes, not {size_bytes}."
        )


def _size_bytes(tensor: InputTensor) -> int:
    return ITEM_BYTES[tensor.dtype] * prod(tensor.shape)


def _numpy_type(dtype: str) -> "np.dtype[np.generic]":
    """Little endian; bits of bfloat16 as uint16."""
    return np.dtype("uint16" if dtype == BFLOAT16 else dtype).newbyteorder("<")
