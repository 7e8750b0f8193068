"""Metadata to messages and back: which type number holds which message, and what must be true of it."""

from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from hearth_worker.protocol import reports, requests
from hearth_worker.protocol.entries import CancelledEntry, DoneEntry
from hearth_worker.protocol.frame import Frame
from hearth_worker.protocol.protocol_error import ProtocolError
from hearth_worker.protocol.reports import Chunk, Partial, Report, Steps
from hearth_worker.protocol.requests import Request
from hearth_worker.protocol.tensors import Payload, PlaceLarge, check_chunk, check_tensors

REQUESTS: dict[int, type[Request]] = {message.type: message for message in Request.__subclasses__()}
REPORTS: dict[int, type[Report]] = {message.type: message for message in Report.__subclasses__()}

assert len(REQUESTS) == 20 and requests.Release.type == 20  # noqa: PT018
assert len(REPORTS) == 17 and reports.StepTimes.type == 80  # noqa: PT018

_REQUEST_DECODERS = {number: Decoder(message) for number, message in REQUESTS.items()}
_REPORT_DECODERS = {number: Decoder(message) for number, message in REPORTS.items()}
_PLAIN_ENCODER = Encoder()

Message = TypeVar("Message")


def decode_request(frame: Frame) -> Request:
    """What the server says in this frame. Raises ProtocolError."""
    return _decode(frame, _REQUEST_DECODERS)


def decode_report(frame: Frame) -> Report:
    """What a worker says in this frame. Raises ProtocolError."""
    report = _decode(frame, _REPORT_DECODERS)
    payload_bytes = len(frame.payload)
    if isinstance(report, Steps):
        for entry in report.entries:
            if isinstance(entry, DoneEntry) or (isinstance(entry, CancelledEntry) and entry.output is not None):
                _check_output(entry.output, payload_bytes)
    elif isinstance(report, Partial):
        check_tensors(report.values, payload_bytes, allows_large=False)
    elif isinstance(report, Chunk):
        check_chunk(report.offset, report.total_bytes, payload_bytes)
    return report


def encode_message(message: Struct) -> bytes:
    """Metadata of a message without tensors."""
    return _PLAIN_ENCODER.encode(message)


def encode_with_payload(message: Struct, place_large: PlaceLarge | None = None) -> tuple[bytes, Payload]:
    """Metadata of a message and the payload of the tensors in it; without `place_large` all of them are inline."""
    payload = Payload(place_large)
    return Encoder(enc_hook=payload.place).encode(message), payload


def _check_output(output: object, payload_bytes: int) -> None:
    if not isinstance(output, dict):
        raise ProtocolError("metadata", f"a program's output is a map, not a {type(output).__name__}")
    check_tensors(output, payload_bytes)


def _decode(frame: Frame, decoders: Mapping[int, Decoder[Message]]) -> Message:
    decoder = decoders.get(frame.type)
    if decoder is None:
        raise ProtocolError("type", f"frame type {frame.type} is unknown here")
    try:
        return decoder.decode(frame.meta)
    except (ValueError, RecursionError) as error:
        # Not MessagePack, not text where text is said to be, nested beyond reason, or not of the expected shape.
        raise ProtocolError("metadata", f"metadata of a frame of type {frame.type}: {error}") from error
