"""Spans and tensors: how metadata refers to the bytes of a payload (PROTOCOL.md section 2)."""

from collections.abc import Mapping, Sequence
from math import prod

from msgspec import Struct, ValidationError, convert

from hearth_worker.protocol.numbers import Count
from hearth_worker.protocol.protocol_error import ProtocolError

ITEM_BYTES = {
    **dict.fromkeys(("bool", "int8", "uint8"), 1),
    **dict.fromkeys(("int16", "uint16", "float16", "bfloat16"), 2),
    **dict.fromkeys(("int32", "uint32", "float32"), 4),
    **dict.fromkeys(("int64", "uint64", "float64"), 8),
}


class Span(Struct, frozen=True):
    """A range of a frame's payload, in bytes."""

    offset: Count
    length: Count


class TensorSpan(Struct, frozen=True):
    """A tensor that lies in the payload. `dtype` is a numpy name; rows are last-axis-fastest, little endian."""

    dtype: str
    shape: list[Count]
    span: Span


class Tensor:
    """A tensor on its way out; its bytes join the payload of the frame that carries it."""

    __slots__ = ("data", "dtype", "shape")

    def __init__(self, dtype: str, shape: Sequence[int], data: bytes) -> None:
        self.dtype = dtype
        self.shape = list(shape)
        self.data = data


class Payload:
    """Collects the tensors of one frame; `place` is the encoder's hook for them."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size_bytes = 0

    def place(self, value: object) -> TensorSpan:
        """What stands in the metadata for a tensor; its bytes are appended."""
        if not isinstance(value, Tensor):
            raise TypeError(f"a {type(value).__name__} cannot travel in a frame")
        span = Span(self.size_bytes, len(value.data))
        self._parts.append(value.data)
        self.size_bytes += span.length
        return TensorSpan(value.dtype, value.shape, span)

    def join(self) -> bytes:
        """The payload as one piece."""
        return b"".join(self._parts)


def check_span(span: Span, payload_bytes: int) -> None:
    """Raises ProtocolError if the span leaves the payload."""
    if span.offset + span.length > payload_bytes:
        at = f"{span.offset} to {span.offset + span.length}"
        raise ProtocolError("span", f"a span of bytes {at} leaves the payload of {payload_bytes} bytes")


def check_tensors(value: object, payload_bytes: int) -> None:
    """Raises ProtocolError for a tensor anywhere inside a program's map that is malformed or leaves the payload."""
    if isinstance(value, Mapping):
        if "dtype" in value and "shape" in value and "span" in value:
            _check_tensor(value, payload_bytes)
            return
        for item in value.values():
            check_tensors(item, payload_bytes)
    elif isinstance(value, list | tuple):
        for item in value:
            check_tensors(item, payload_bytes)


def _check_tensor(value: Mapping[object, object], payload_bytes: int) -> None:
    try:
        tensor = convert(value, TensorSpan)
    except ValidationError as error:
        raise ProtocolError("metadata", f"malformed tensor: {error}") from error
    check_span(tensor.span, payload_bytes)
    expected_bytes = ITEM_BYTES.get(tensor.dtype, 0) * prod(tensor.shape)
    if tensor.dtype not in ITEM_BYTES or tensor.span.length != expected_bytes:
        what = f"{tensor.dtype} tensor of shape {tensor.shape}"
        raise ProtocolError("metadata", f"a {what} cannot have {tensor.span.length} bytes")
