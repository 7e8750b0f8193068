"""What a graph gave, as named tensors. Sequences and maps become tensors where all their rows look alike."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from hearth_worker.engines.onnx_values import BFLOAT16, NUMPY_NAMES, Array, is_tensor
from hearth_worker.programs.infer_tensors import OutputTensor, OutputTexts
from hearth_worker.protocol.reports import TensorPort
from hearth_worker.protocol.tensors import ITEM_BYTES, Tensor

# In ONNX Runtime's words of a type: `seq(map(int64,tensor(float)))`.
VALUE_TYPE = re.compile(r"map\(\w+,tensor\((\w+)\)")


class NoTensor(LookupError):  # noqa: N818
    """An output cannot be given as tensors; says how the model could be exported so that it can."""


def as_output(port: TensorPort, value: Any) -> Iterator[OutputTensor | OutputTexts]:
    """One tensor, or for maps two: `NAME` with a row for each map, and `NAME.keys`. Raises NoTensor."""
    if is_tensor(port):
        yield _named(port.name, np.asarray(value), port.dtype)
        return
    items = list(value) if isinstance(value, list | tuple) else [value]
    if not items:
        raise NoTensor(
            f"Output {port.name!r} is a {port.dtype} that came empty, so what its parts look like is not known. Give "
            "at least one row, or ask for other outputs."
        )
    if all(isinstance(item, Mapping) for item in items):
        keys = _common_keys(port, items)
        yield _named(port.name, np.array([[item[key] for key in keys] for item in items], _value_type(port)))
        yield _named(f"{port.name}.keys", np.array(keys, object if isinstance(keys[0], str) else np.int64))
        return
    yield _named(port.name, _stacked(port, items))


def _common_keys(port: TensorPort, maps: Sequence[Mapping[Any, Any]]) -> list[Any]:
    keys = list(maps[0])
    if not keys or any(set(each) != set(keys) for each in maps):
        raise NoTensor(
            f"Output {port.name!r} is a {port.dtype} whose rows have different keys, which makes no tensor. Export the "
            "model so that it gives a tensor: for scikit-learn, convert_sklearn(..., options={'zipmap': False})."
        )
    return keys


def _value_type(port: TensorPort) -> str | None:
    """Of a map's values; they come as Python's numbers, which would all be of 64 bits. None: as they come."""
    named = VALUE_TYPE.search(port.dtype)
    word = named[1] if named else ""
    word = NUMPY_NAMES.get(word, word)
    return word if word in ITEM_BYTES and word != BFLOAT16 else None


def _stacked(port: TensorPort, items: Sequence[Any]) -> Array:
    arrays = [np.asarray(item) for item in items]
    if len({(array.shape, array.dtype) for array in arrays}) != 1:
        raise NoTensor(
            f"Output {port.name!r} is a {port.dtype} of {len(arrays)} parts that are not alike, which makes no tensor. "
            "Ask for other outputs, or export the model so that it gives one tensor, for example by ConcatFromSequence."
        )
    return np.stack(arrays)


def _named(name: str, array: Array, dtype: str | None = None) -> OutputTensor | OutputTexts:
    if array.dtype.kind in "OU":
        return OutputTexts(name, list(array.shape), [_text(text) for text in array.ravel()])
    word = BFLOAT16 if dtype == BFLOAT16 else array.dtype.name
    if word not in ITEM_BYTES:
        raise NoTensor(f"Output {name!r} is of type {dtype or word}, which cannot be sent. Ask for other outputs.")
    return OutputTensor(name, Tensor(word, array.shape, np.ascontiguousarray(array).data))


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
