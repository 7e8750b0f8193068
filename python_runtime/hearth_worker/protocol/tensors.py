"""Tensors: how metadata refers to bytes, in the payload or elsewhere (PROTOCOL.md sections 2 and 9)."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct, ValidationError, convert

from hearth_worker.protocol.frame import PAYLOAD_BYTES_MAX
from hearth_worker.protocol.numbers import Count
from hearth_worker.protocol.protocol_error import ProtocolError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Buffer

ITEM_BYTES = {
    **dict.fromkeys(("bool", "int8", "uint8"), 1),
    **dict.fromkeys(("int16", "uint16", "float16", "bfloat16"), 2),
    **dict.fromkeys(("int32", "uint32", "float32"), 4),
    **dict.fromkeys(("int64", "uint64", "float64"), 8),
}
# Larger ones are cheaper anywhere but in a frame.
INLINE_BYTES_MAX = 32 * 1024
TENSOR_BYTES_MAX = 1024 * 1024 * 1024
# Of one STEPS frame, all together.
TRANSFERS_MAX = 1024
TRANSFERS_BYTES_MAX = 4 * 1024 * 1024 * 1024


class Span(Struct, frozen=True):
    """A range of a frame's payload, in bytes."""

    offset: Count
    length: Count


class SlabSpan(Struct, rename="camel", frozen=True):
    """A range of a slab, in bytes."""

    slab_id: Count
    generation: Count
    offset: Count
    length: Count


class Transfer(Struct, frozen=True):
    """What came in chunks before the frame."""

    id: Count
    length: Count


class TensorSpan(Struct, frozen=True):
    """A tensor that lies in the payload. `dtype` is a numpy name; rows are last-axis-fastest, little endian."""

    dtype: str
    shape: list[Count]
    span: Span


class TensorInSlab(Struct, frozen=True):
    """A tensor that lies in shared memory."""

    dtype: str
    shape: list[Count]
    slab: SlabSpan


class TensorInTransfer(Struct, frozen=True):
    """A tensor that came in chunks."""

    dtype: str
    shape: list[Count]
    transfer: Transfer


class Tensor:
    """A tensor on its way out. `data` is anything that shows its bytes: bytes, a memoryview, a numpy array. They are
    read when the frame that carries them is made, so whoever has given them away does not change them any more.
    """

    __slots__ = ("data", "dtype", "shape")

    def __init__(self, dtype: str, shape: Sequence[int], data: "Buffer | NDArray[Any]") -> None:
        """`dtype` is a numpy name or `bfloat16`; `data` is little endian and contiguous, last axis fastest."""
        self.dtype = dtype
        self.shape = list(shape)
        self.data = data

    def bytes(self) -> memoryview:
        """Its bytes, without a copy. Raises TypeError or ValueError if `data` cannot show them."""
        view = memoryview(cast("Buffer", self.data))
        # An array without elements cannot be cast.
        return view.cast("B") if view.nbytes > 0 else memoryview(b"")


# Finds a place for many bytes outside the payload.
PlaceLarge = Callable[[memoryview], SlabSpan | Transfer]


class Payload:
    """Collects the tensors of one frame; `place` is the encoder's hook for them."""

    def __init__(self, place_large: PlaceLarge | None = None) -> None:
        """Without `place_large` all tensors are inline."""
        self._place_large = place_large
        self._parts: list[memoryview] = []
        self.size_bytes = 0

    def place(self, value: object) -> TensorSpan | TensorInSlab | TensorInTransfer:
        """What stands in the metadata for a tensor."""
        if not isinstance(value, Tensor):
            raise TypeError(f"a {type(value).__name__} cannot travel in a frame")
        data = value.bytes()
        is_small = data.nbytes <= INLINE_BYTES_MAX and self.size_bytes + data.nbytes <= PAYLOAD_BYTES_MAX
        if self._place_large is None or is_small:
            return TensorSpan(value.dtype, value.shape, self._append(data))
        placed = self._place_large(data)
        if isinstance(placed, SlabSpan):
            return TensorInSlab(value.dtype, value.shape, placed)
        return TensorInTransfer(value.dtype, value.shape, placed)

    def join(self) -> bytes:
        """The payload as one piece."""
        return b"".join(self._parts)

    def _append(self, data: memoryview) -> Span:
        span = Span(self.size_bytes, data.nbytes)
        self._parts.append(data)
        self.size_bytes += data.nbytes
        return span


def check_span(span: Span, payload_bytes: int) -> None:
    """Raises ProtocolError if the span leaves the payload."""
    if span.offset + span.length > payload_bytes:
        at = f"{span.offset} to {span.offset + span.length}"
        raise ProtocolError("span", f"a span of bytes {at} leaves the payload of {payload_bytes} bytes")


def check_chunk(offset: int, total_bytes: int, payload_bytes: int) -> None:
    """Raises ProtocolError for a chunk that is empty or leaves its transfer."""
    if payload_bytes == 0 or offset + payload_bytes > total_bytes:
        what = f"a chunk of {payload_bytes} bytes at {offset}"
        raise ProtocolError("metadata", f"{what} cannot be part of a transfer of {total_bytes} bytes")


def check_tensors(value: object, payload_bytes: int, *, allows_large: bool = True) -> None:
    """Raises ProtocolError for a tensor anywhere inside a program's map that is malformed or leaves the payload."""
    if isinstance(value, Mapping):
        if is_tensor_map(value):
            _check_tensor(value, payload_bytes, allows_large=allows_large)
            return
        for item in value.values():
            check_tensors(item, payload_bytes, allows_large=allows_large)
    elif isinstance(value, list | tuple):
        for item in value:
            check_tensors(item, payload_bytes, allows_large=allows_large)


# Besides `dtype` and `shape`, what a map has that stands for a tensor.
REFERENCES = ("span", "slab", "transfer")


def is_tensor_map(fields: Mapping[object, object]) -> bool:
    """Whether a map would be taken for a tensor."""
    return "dtype" in fields and "shape" in fields and any(name in fields for name in REFERENCES)


def _check_tensor(value: Mapping[object, object], payload_bytes: int, *, allows_large: bool) -> None:
    try:
        if "span" in value:
            tensor = convert(value, TensorSpan)
            check_span(tensor.span, payload_bytes)
            _check_length(tensor.dtype, tensor.shape, tensor.span.length)
        elif not allows_large:
            raise ProtocolError("metadata", "only an output may hold large tensors")
        elif "slab" in value:
            in_slab = convert(value, TensorInSlab)
            _check_length(in_slab.dtype, in_slab.shape, in_slab.slab.length)
        else:
            in_transfer = convert(value, TensorInTransfer)
            _check_length(in_transfer.dtype, in_transfer.shape, in_transfer.transfer.length)
    except ValidationError as error:
        raise ProtocolError("metadata", f"malformed tensor: {error}") from error


def _check_length(dtype: str, shape: Sequence[int], length: int) -> None:
    if dtype not in ITEM_BYTES or length != ITEM_BYTES[dtype] * prod(shape):
        raise ProtocolError("metadata", f"a {dtype} tensor of shape {shape} cannot have {length} bytes")
