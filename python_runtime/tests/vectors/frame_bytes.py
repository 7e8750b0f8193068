"""Puts frames and vectors together by hand, so that vectors do not depend on the code they check."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

MAGIC = b"HRT\x01"
TO_WORKER = "toWorker"
TO_SERVER = "toServer"

Meta = Mapping[str, Any]
Vector = dict[str, Any]
# A frame in words: type, requestId, acknowledged, metadata, payload.
Words = tuple[int, int, int, Meta, bytes]


def good(name: str, direction: str, first: Words, capability: str | None = None, *more: Words) -> Vector:
    """A stream that is taken whole."""
    frames = [first, *more]
    return stream(name, direction, b"".join(framed(words) for words in frames), frames, None, capability)


def bad(name: str, direction: str, data: bytes) -> Vector:
    """A stream whose only frame has metadata that no receiver takes."""
    return stream(name, direction, data, [], "metadata")


def stream(
    name: str,
    direction: str,
    data: bytes,
    frames: Sequence[Words],
    error: str | None = None,
    capability: str | None = None,
) -> Vector:
    """The vector itself."""
    return {
        "name": name,
        "direction": direction,
        **({"capability": capability} if capability else {}),
        "hex": data.hex(),
        "frames": [described(words) for words in frames],
        "error": error,
    }


def described(words: Words) -> dict[str, Any]:
    """A frame as the vectors show it."""
    frame_type, request_id, acknowledged, meta, payload = words
    return {
        "type": frame_type,
        "requestId": request_id,
        "acknowledged": acknowledged,
        "meta": shown(meta),
        "payloadHex": payload.hex(),
    }


def shown(value: Any) -> Any:
    """Metadata as JSON can hold it: bytes are written as `{"bytesHex": ...}`."""
    if isinstance(value, bytes):
        return {"bytesHex": value.hex()}
    if isinstance(value, dict):
        return {key: shown(field) for key, field in value.items()}
    return [shown(item) for item in value] if isinstance(value, list) else value


def framed(words: Words) -> bytes:
    """The bytes of a frame in words."""
    return frame(*words)


def frame(frame_type: int, request_id: int, acknowledged: int, meta: Meta, payload: bytes = b"") -> bytes:
    """The bytes of a frame."""
    return raw_frame(frame_type, request_id, acknowledged, msgspec.msgpack.encode(meta), payload)


def raw_frame(frame_type: int, request_id: int, acknowledged: int, meta: bytes, payload: bytes = b"") -> bytes:
    """The bytes of a frame whose metadata are given as bytes."""
    return header(frame_type, request_id, acknowledged, len(meta), len(payload)) + meta + payload


def header(
    frame_type: int,
    request_id: int,
    acknowledged: int,
    meta_length: int,
    payload_length: int,
    *,
    magic: bytes = MAGIC,
    flags: int = 0,
    reserved: int = 0,
) -> bytes:
    """The 24 bytes of section 2."""
    fields = struct.pack("<BBHIIII", frame_type, flags, reserved, request_id, acknowledged, meta_length, payload_length)
    return magic + fields
