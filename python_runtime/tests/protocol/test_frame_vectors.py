"""The frames of PROTOCOL.md, as both sides have agreed on them in test/contract/frames.json."""

import json
from typing import Any

import msgspec
import pytest

from hearth_worker.protocol.codec import decode_report, decode_request, encode_message
from hearth_worker.protocol.decoder import FrameDecoder
from hearth_worker.protocol.frame import Frame, encode_frame
from hearth_worker.protocol.protocol_error import ProtocolError
from tests.vectors.frame_bytes import shown
from tests.vectors.write_frames import FRAMES_JSON, all_vectors

Vector = dict[str, Any]
VECTORS: list[Vector] = json.loads(FRAMES_JSON.read_text(encoding="utf-8"))["vectors"]
by_name = pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])


def test_the_file_has_what_its_generator_writes() -> None:
    assert json.loads(json.dumps(all_vectors())) == VECTORS


def test_vectors_cover_every_type() -> None:
    types = {frame["type"] for vector in VECTORS for frame in vector["frames"]}
    assert types == {*range(1, 21), *range(64, 81)}


@by_name
def test_a_stream_is_taken_as_the_vector_says(vector: Vector) -> None:
    frames, error = receive([bytes.fromhex(vector["hex"])], vector["direction"])
    assert ([seen(frame, message) for frame, message in frames], error) == expected(vector)


@by_name
def test_a_stream_means_the_same_when_it_comes_byte_by_byte(vector: Vector) -> None:
    pieces = [bytes([byte]) for byte in bytes.fromhex(vector["hex"])]
    frames, error = receive(pieces, vector["direction"])
    assert ([seen(frame, message) for frame, message in frames], error) == expected(vector)


@by_name
def test_what_is_written_again_is_read_as_before(vector: Vector) -> None:
    frames, _ = receive([bytes.fromhex(vector["hex"])], vector["direction"])
    again = b"".join(encode_frame(frame._replace(meta=encode_message(message))) for frame, message in frames)
    assert receive([again], vector["direction"]) == ([(f._replace(meta=encode_message(m)), m) for f, m in frames], None)


def receive(pieces: list[bytes], direction: str) -> tuple[list[tuple[Frame, msgspec.Struct]], str | None]:
    """All frames of a stream with their messages, and the reason that ended it early."""
    decode = decode_request if direction == "toWorker" else decode_report
    decoder = FrameDecoder()
    taken: list[tuple[Frame, msgspec.Struct]] = []
    for piece in pieces:
        frames, error = decoder.feed(piece)
        try:
            taken += [(frame, decode(frame)) for frame in frames]
        except ProtocolError as refused:
            return taken, refused.reason
        if error:
            return taken, error.reason
    end = decoder.end()
    return taken, end.reason if end else None


def seen(frame: Frame, message: msgspec.Struct) -> dict[str, Any]:
    """A frame as the vectors write it down."""
    return {
        "type": frame.type,
        "requestId": frame.request_id,
        "acknowledged": frame.acknowledged,
        "meta": shown(without_nil(msgspec.to_builtins(message, builtin_types=(bytes,)))),
        "payloadHex": frame.payload.hex(),
    }


def expected(vector: Vector) -> tuple[list[dict[str, Any]], str | None]:
    """What the vector says, as `seen` and `receive` would."""
    return without_nil(vector["frames"]), vector["error"]


def without_nil(value: Any) -> Any:
    """The same without fields that are nil, which mean the same as absent ones."""
    if isinstance(value, dict):
        return {key: without_nil(item) for key, item in value.items() if item is not None}
    return [without_nil(item) for item in value] if isinstance(value, list) else value
