"""What the worker reads that others wrote: the stream, requests, and the inputs of programs."""

import json
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
from msgspec import Struct
from PIL import Image

from hearth_worker.engines.onnx import OnnxComponent
from hearth_worker.failures import ArtifactMissing, InvalidRequest
from hearth_worker.programs.classify_image import ClassifyRequest
from hearth_worker.programs.embed_text import EmbedRequest
from hearth_worker.programs.infer import InferRequest
from hearth_worker.programs.infer_inputs import read_inputs
from hearth_worker.programs.infer_tensors import InputTensor
from hearth_worker.programs.noop import NoopRequest
from hearth_worker.programs.picture_files import decode
from hearth_worker.programs.text_state import GenerateTextRequest
from hearth_worker.protocol.codec import REPORTS, REQUESTS, decode_report, decode_request
from hearth_worker.protocol.decoder import FrameDecoder
from hearth_worker.protocol.frame import HEADER_BYTES, Frame
from hearth_worker.protocol.protocol_error import ProtocolError
from hearth_worker.protocol.reports import TensorPort

VECTORS = json.loads((Path(__file__).parents[3] / "test/contract/frames.json").read_text())["vectors"]
STREAMS = [stream for vector in VECTORS if len(stream := bytes.fromhex(vector["hex"])) < 10_000]
PIXELS_MAX = 4 * 1024 * 1024
MESSAGE_WORDS = [
    b"\x80",
    b"\x90",
    b"\xc0",
    b"\xdc\xff\xff",
    b"\xde\xff\xff",
    b"\xdd\xff\xff\xff\xff",
    b"\xc7",
    b"tasks",
    b"task",
]


class Target(Struct, frozen=True):
    """`read` refuses as documented or returns; what else it raises has been found."""

    name: str
    seeds: Sequence[bytes]
    words: Sequence[bytes]
    read: Callable[[bytes], None]


def _says_why(refusal: Exception) -> None:
    if not str(refusal):
        raise AssertionError("A refusal says nothing.")


def _read_stream(data: bytes) -> None:
    whole = _frames(data, max(len(data), 1))
    pieces = _frames(data, max(1 + (data[0] if data else 0) % 37, len(data) >> 6))
    assert whole == pieces, "the frames depend on how they came"


def _frames(data: bytes, size: int) -> tuple[list[Frame], bool]:
    decoder = FrameDecoder()
    frames: list[Frame] = []
    for start in range(0, len(data), size):
        complete, error = decoder.feed(data[start : start + size])
        frames += complete
        if error is not None:
            return frames, True
    return frames, decoder.end() is not None


def _read_message(kinds: Sequence[int], read: Callable[[Frame], object]) -> Callable[[bytes], None]:
    def read_one(data: bytes) -> None:
        kind = kinds[(data[4] if len(data) > 4 else 0) % len(kinds)]
        body = data[HEADER_BYTES:]
        cut = int.from_bytes(data[16:20], "little")
        try:
            read(Frame(kind, 1, 0, body[:cut], body[cut:]))
        except ProtocolError as error:
            _says_why(error)

    return read_one


REQUEST_TYPES: Sequence[type[Struct]] = (ClassifyRequest, EmbedRequest, GenerateTextRequest, InferRequest, NoopRequest)
PROGRAM_REQUESTS: Sequence[dict[str, Any]] = (
    {"image": {"data": b"x"}, "topK": 3},
    {"texts": ["a", "b"]},
    {"prompt": "a", "maxTokens": 5, "temperature": 0.5, "stop": ["x"], "seed": 1},
    {"messages": [{"role": "user", "content": "a"}], "maxTokens": 5},
    {"tensors": [{"name": "x", "dtype": "float32", "shape": [1, 2], "data": b"12345678"}], "outputs": ["y"]},
    {"tensors": [{"name": "s", "dtype": "string", "shape": [2], "values": ["a", "b"]}]},
    {"parameters": {"steps": 3, "value": {"a": [1]}}},
)


def _read_program_request(data: bytes) -> None:
    try:
        request = msgspec.msgpack.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return  # Such a frame was refused before.
    for kind in REQUEST_TYPES:
        try:
            msgspec.convert(request, kind)
        except msgspec.ValidationError:
            continue


COMPONENT = cast(
    "OnnxComponent",
    SimpleNamespace(
        inputs=[TensorPort(name="x", dtype="float32", shape=[])],
        optional_inputs=[
            TensorPort(name="s", dtype="string", shape=[]),
            TensorPort(name="b", dtype="bfloat16", shape=[None, 2]),
        ],
    ),
)


def _read_tensors(data: bytes) -> None:
    """As far as a request comes before it reaches the graph."""
    try:
        request = msgspec.msgpack.decode(data, type=InferRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    # Paths are the server's own.
    tensors = [msgspec.structs.replace(tensor, path=None) for tensor in request.tensors]
    try:
        read_inputs(COMPONENT, tensors)
    except (InvalidRequest, ArtifactMissing) as error:
        _says_why(error)


NPY = Path(tempfile.gettempdir()) / f"hearth-fuzz-{os.getpid()}.npy"


def _read_npy(data: bytes) -> None:
    NPY.write_bytes(data)
    try:
        with warnings.catch_warnings(action="ignore"):
            read_inputs(COMPONENT, [InputTensor("x", "float32", [3, 4], path=str(NPY))])
    except InvalidRequest as error:
        _says_why(error)
    finally:
        NPY.unlink()


def _read_picture(data: bytes) -> None:
    try:
        picture = decode(data, PIXELS_MAX)
    except InvalidRequest as error:
        _says_why(error)
        return
    assert picture.mode == "RGB"
    assert picture.width * picture.height <= PIXELS_MAX


def _npy(**options: Any) -> bytes:
    buffer = BytesIO()
    np.save(buffer, np.arange(12, dtype=np.float32).reshape(3, 4, **options))
    return buffer.getvalue()


def _picture(kind: str, mode: str = "RGB") -> bytes:
    buffer = BytesIO()
    waves = np.add.outer(np.arange(24), np.arange(32)).astype(np.uint8)
    Image.fromarray(waves).convert(mode).save(buffer, kind)
    return buffer.getvalue()


TARGETS: Sequence[Target] = (
    Target("worker-stream", STREAMS, [b"HRT\x01"], _read_stream),
    Target("worker-requests", STREAMS, MESSAGE_WORDS, _read_message(sorted(REQUESTS), decode_request)),
    Target("worker-reports", STREAMS, MESSAGE_WORDS, _read_message(sorted(REPORTS), decode_report)),
    Target(
        "program-requests",
        [msgspec.msgpack.encode(each) for each in PROGRAM_REQUESTS],
        MESSAGE_WORDS,
        _read_program_request,
    ),
    Target(
        "infer-tensors",
        [msgspec.msgpack.encode(each) for each in PROGRAM_REQUESTS if "tensors" in each],
        [
            *MESSAGE_WORDS,
            b"\x91\x00",
            b"\xcf\x00\x20\x00\x00\x00\x00\x00\x00",
            b"bfloat16",
            b"float8",
            b"data",
            b"values",
        ],
        _read_tensors,
    ),
    Target(
        "npy-file",
        [_npy(), _npy(order="F")],
        [b"'descr'", b"'shape'", b"(3, 4)", b"'|O'", b"(" * 100, b"True"],
        _read_npy,
    ),
    Target(
        "picture",
        [_picture(kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP")] + [_picture("PNG", "P")],
        [],
        _read_picture,
    ),
)
