"""Whatever was sent is received, however it was cut; whatever comes, it is taken or refused."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from hearth_worker.protocol.codec import REPORTS, REQUESTS, decode_report, decode_request, encode_message
from hearth_worker.protocol.decoder import FrameDecoder
from hearth_worker.protocol.frame import Frame, encode_frame
from hearth_worker.protocol.numbers import COUNT_MAX
from hearth_worker.protocol.protocol_error import ProtocolError
from hearth_worker.protocol.requests import Admit, Task

uint32 = st.integers(0, 2**32 - 1)
frames = st.builds(Frame, st.integers(0, 255), uint32, uint32, st.binary(max_size=200), st.binary(max_size=200))
plain_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
counts = st.integers(0, COUNT_MAX)
tasks = st.builds(
    Task,
    task=counts,
    model=counts,
    program=st.text(max_size=20),
    components=st.lists(st.text(max_size=20), max_size=3),
    request=st.dictionaries(st.text(max_size=8), plain_values, max_size=4),
    task_class=st.sampled_from(("interactive", "batch")),
    order=st.integers(-COUNT_MAX, COUNT_MAX),
    deadline_ms=st.none() | st.floats(0, 1e12),
    credit=counts,
    attempt=counts,
)


@given(st.lists(frames, max_size=5), st.data())
def test_frames_survive_any_cutting_of_their_stream(sent: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(encode_frame(frame) for frame in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    decoder = FrameDecoder()
    received: list[Frame] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        complete, error = decoder.feed(stream[start:end])
        assert error is None
        received += complete
    assert received == sent
    assert decoder.end() is None


@given(st.lists(frames, max_size=3), st.data())
def test_a_stream_that_ends_inside_a_frame_is_truncated(sent: list[Frame], data: st.DataObject) -> None:
    last = encode_frame(data.draw(frames))
    rest = last[: data.draw(st.integers(1, len(last) - 1))]
    decoder = FrameDecoder()
    received, error = decoder.feed(b"".join(encode_frame(frame) for frame in sent) + rest)
    end = decoder.end()
    assert (received, error) == (sent, None)
    assert end is not None
    assert end.reason == "truncated"


@given(st.lists(tasks, max_size=3))
def test_tasks_survive_the_way(sent: list[Task]) -> None:
    message = Admit(sent)
    assert decode_request(Frame(Admit.type, 1, 0, encode_message(message), b"")) == message


@given(st.binary(max_size=400))
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    decoder = FrameDecoder()
    taken, error = decoder.feed(b"HRT\x01" + data)
    assert error is None or isinstance(error, ProtocolError)
    assert sum(24 + len(frame.meta) + len(frame.payload) for frame in taken) <= len(data) + 4


@given(st.sampled_from(sorted(REQUESTS | REPORTS)), st.binary(max_size=300), st.binary(max_size=8))
def test_any_metadata_are_taken_or_refused(frame_type: int, meta: bytes, payload: bytes) -> None:
    assert is_taken_or_refused(Frame(frame_type, 1, 0, meta, payload))


@given(st.sampled_from(sorted(REQUESTS | REPORTS)), plain_values)
def test_any_values_are_taken_or_refused(frame_type: int, value: object) -> None:
    class Anything(Struct):
        tasks: Any
        entries: Any
        values: Any
        model: Any

    meta = encode_message(Anything(value, [value], value, value))
    assert is_taken_or_refused(Frame(frame_type, 1, 0, meta, b""))


def test_metadata_that_are_nested_beyond_reason_are_refused() -> None:
    meta = b"\x81\xa7message" + b"\x91" * 100_000 + b"\x00"
    assert is_taken_or_refused(Frame(68, 1, 0, b"\x83\xa4task\x01\xa4left\x00\xa6values" + meta[9:], b""))


def is_taken_or_refused(frame: Frame) -> bool:
    """Fails by any exception but ProtocolError."""
    try:
        if frame.type in REQUESTS:
            decode_request(frame)
        else:
            decode_report(frame)
    except ProtocolError:
        pass
    return True
