"""The tensors of a request to `infer`, and of its answer."""

from msgspec import Struct

from hearth_worker.protocol.numbers import Count
from hearth_worker.protocol.tensors import Tensor


class InputTensor(Struct, frozen=True):
    """Exactly one of: `data`, little-endian bytes, last axis fastest; `values`, of dtype string; `path`, a file of such
    bytes or a .npy file."""

    name: str
    dtype: str
    shape: list[Count]
    data: bytes | None = None
    values: list[str] | None = None
    path: str | None = None


class OutputTensor(Struct, frozen=True):
    """A named output."""

    name: str
    tensor: Tensor


class OutputTexts(Struct, frozen=True):
    """A named output of texts, last axis fastest."""

    name: str
    shape: list[int]
    values: list[str]
    dtype: str = "string"
