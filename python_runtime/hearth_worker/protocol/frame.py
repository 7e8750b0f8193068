"""The frame of PROTOCOL.md section 2: a fixed header of 24 bytes, MessagePack metadata, raw payload. Little endian."""

from struct import Struct as Layout
from typing import NamedTuple

from hearth_worker.protocol.protocol_error import ProtocolError

MAGIC = b"HRT\x01"
HEADER = Layout("<4sBBHIIII")
HEADER_BYTES = HEADER.size
META_BYTES_MAX = 16 * 1024 * 1024
PAYLOAD_BYTES_MAX = 16 * 1024 * 1024


class Frame(NamedTuple):
    """One frame as it came, its metadata not yet read."""

    type: int
    request_id: int
    acknowledged: int
    meta: bytes
    payload: bytes


class FrameHeader(NamedTuple):
    """The checked header of a frame whose body may still be on its way."""

    type: int
    request_id: int
    acknowledged: int
    meta_bytes: int
    payload_bytes: int


def encode_header(frame_type: int, request_id: int, acknowledged: int, meta_bytes: int, payload_bytes: int) -> bytes:
    """The 24 bytes before metadata and payload. The caller keeps within the limits: exceeding them here is a bug."""
    assert meta_bytes <= META_BYTES_MAX, f"{meta_bytes} bytes of metadata"
    assert payload_bytes <= PAYLOAD_BYTES_MAX, f"{payload_bytes} bytes of payload"
    return HEADER.pack(MAGIC, frame_type, 0, 0, request_id, acknowledged, meta_bytes, payload_bytes)


def encode_frame(frame: Frame) -> bytes:
    """A whole frame as one piece."""
    header = encode_header(frame.type, frame.request_id, frame.acknowledged, len(frame.meta), len(frame.payload))
    return b"".join((header, frame.meta, frame.payload))


def read_header(data: bytes | bytearray | memoryview, offset: int) -> FrameHeader:
    """Reads and checks 24 bytes at `offset`, so that nothing is collected for a frame that must not come.

    Raises ProtocolError.
    """
    header = HEADER.unpack_from(data, offset)
    magic, frame_type, flags, reserved, request_id, acknowledged, meta_bytes, payload_bytes = header
    if magic != MAGIC:
        raise ProtocolError("magic", f"a frame starts with {MAGIC.hex(' ')}, not with {magic.hex(' ')}")
    if flags != 0:
        raise ProtocolError("flags", f"flags of a frame must be 0, not {flags}")
    if reserved != 0:
        raise ProtocolError("reserved", f"reserved bytes of a frame must be 0, not {reserved}")
    if meta_bytes > META_BYTES_MAX:
        raise ProtocolError("limit", f"metadata has at most {META_BYTES_MAX} bytes, not {meta_bytes}")
    if payload_bytes > PAYLOAD_BYTES_MAX:
        raise ProtocolError("limit", f"payload has at most {PAYLOAD_BYTES_MAX} bytes, not {payload_bytes}")
    return FrameHeader(frame_type, request_id, acknowledged, meta_bytes, payload_bytes)
