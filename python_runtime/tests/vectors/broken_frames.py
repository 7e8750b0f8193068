"""Vectors of streams that end in a protocol error, each for one reason."""

from tests.vectors.example_metadata import (
    checkpointed_meta,
    done,
    failed,
    policy_meta,
    preview,
    restore_meta,
    slab_tensor,
    steps_of,
    task_of,
    tensor,
    transfer_tensor,
    without,
)
from tests.vectors.frame_bytes import (
    MAGIC,
    TO_SERVER,
    TO_WORKER,
    Vector,
    Words,
    bad,
    frame,
    framed,
    header,
    raw_frame,
    stream,
)

MIB = 1024 * 1024


def broken_headers() -> list[Vector]:
    """Headers that end the stream before a body is awaited."""
    ping: Words = (8, 1, 0, {}, b"")
    return [
        stream("wrong magic", TO_WORKER, header(8, 1, 0, 1, 0, magic=b"HTTP") + b"\x80", [], "magic"),
        stream("another version's magic", TO_WORKER, header(8, 1, 0, 1, 0, magic=b"HRT\x02") + b"\x80", [], "magic"),
        stream("flags", TO_SERVER, header(73, 0, 1, 1, 0, flags=1) + b"\x80", [], "flags"),
        stream("reserved", TO_SERVER, header(73, 0, 1, 1, 0, reserved=256) + b"\x80", [], "reserved"),
        stream("too much metadata", TO_WORKER, header(3, 1, 0, 16 * MIB + 1, 0), [], "limit"),
        stream("too much payload", TO_SERVER, header(67, 0, 0, 1, 16 * MIB + 1), [], "limit"),
        stream("lengths of all ones", TO_WORKER, header(3, 1, 0, 2**32 - 1, 2**32 - 1), [], "limit"),
        stream(
            "as much metadata as possible, none of which comes",
            TO_WORKER,
            header(3, 1, 0, 16 * MIB, 0),
            [],
            "truncated",
        ),
        stream(
            "a good frame before a broken one",
            TO_WORKER,
            framed(ping) + header(8, 2, 0, 1, 0, magic=b"\0\0\0\0"),
            [ping],
            "magic",
        ),
        stream("type 0", TO_WORKER, frame(0, 1, 0, {}), [], "type"),
        stream("type 21", TO_WORKER, frame(21, 1, 0, {}), [], "type"),
        stream("type 63", TO_SERVER, frame(63, 0, 0, {}), [], "type"),
        stream("type 81", TO_SERVER, frame(81, 0, 0, {}), [], "type"),
        stream("type 255", TO_WORKER, frame(255, 1, 0, {}), [], "type"),
        stream("a worker's type from the server", TO_WORKER, frame(73, 1, 0, {}), [], "type"),
        stream("a server's type from a worker", TO_SERVER, frame(8, 1, 0, {}), [], "type"),
    ]


def broken_metadata() -> list[Vector]:
    """Metadata that is not the map its type asks for."""
    invalid_text = b"\x81\xa7message\xa2\xff\xfe"
    return [
        bad("no metadata", TO_WORKER, raw_frame(8, 1, 0, b"")),
        bad("metadata is a list", TO_WORKER, raw_frame(8, 1, 0, b"\x90")),
        bad("metadata is nil", TO_SERVER, raw_frame(73, 0, 1, b"\xc0")),
        bad("metadata ends early", TO_WORKER, raw_frame(2, 1, 0, b"\x81\xa5model")),
        bad("metadata goes on after its map", TO_WORKER, raw_frame(2, 1, 0, b"\x81\xa5model\x01\x80")),
        bad("a code that MessagePack does not use", TO_WORKER, raw_frame(2, 1, 0, b"\x81\xa5model\xc1")),
        bad("a text that is not UTF-8", TO_SERVER, raw_frame(71, 0, 0, invalid_text)),
        bad("a missing field", TO_WORKER, frame(6, 1, 0, {"model": 1, "batchLimit": 4})),
        bad("a number where a list is due", TO_WORKER, frame(4, 1, 0, {"tasks": 7})),
        bad("a text where a number is due", TO_SERVER, frame(66, 1, 1, {"model": "1", "privateBytes": 0})),
        bad("a negative count", TO_WORKER, frame(7, 1, 0, {"tasks": [{"task": 1, "items": -1}]})),
        bad("an id beyond 2^53 - 1", TO_WORKER, frame(5, 1, 0, {"tasks": [2**53]})),
        bad("a batch limit of 0", TO_WORKER, frame(6, 1, 0, policy_meta() | {"batchLimit": 0})),
        bad("an unknown class", TO_WORKER, frame(3, 1, 0, {"tasks": [task_of(1, {"class": "urgent"})]})),
        bad("a task without a request", TO_WORKER, frame(3, 1, 0, {"tasks": [without(task_of(1), "request")]})),
        bad("an entry of unknown kind", TO_SERVER, frame(67, 0, 1, steps_of({"kind": "vanished", "task": 1}))),
        bad("an entry without a kind", TO_SERVER, frame(67, 0, 1, steps_of({"task": 1}))),
        bad(
            "an unknown unit",
            TO_SERVER,
            frame(67, 0, 1, steps_of({"kind": "step", "task": 1, "done": 1, "unit": "parsecs"})),
        ),
        bad("an unknown level", TO_SERVER, frame(71, 0, 1, {"level": "loud", "message": "", "logger": ""})),
        bad("an unknown failure", TO_SERVER, frame(67, 0, 1, steps_of(failed("bored")))),
        bad("an unknown stage", TO_WORKER, frame(3, 1, 0, {"tasks": [task_of(1, {"stage": "upload"})]})),
        bad("inputs that are a list", TO_WORKER, frame(3, 1, 0, {"tasks": [task_of(1, {"inputs": [1]})]})),
        bad("a share above 1", TO_WORKER, frame(6, 1, 0, policy_meta() | {"inferenceShare": 1.5})),
        bad("a saved state that is a text", TO_WORKER, frame(16, 1, 0, restore_meta("state"))),
        bad("a RESTORE of nothing saved", TO_WORKER, frame(16, 1, 0, {"tasks": [task_of(1)]})),
        bad("a checkpoint that is a text", TO_SERVER, frame(75, 0, 1, checkpointed_meta("state"))),
        bad("a checkpoint without a step", TO_SERVER, frame(75, 0, 1, {"task": 1, "saved": b"state"})),
        bad("a preview that is a text", TO_SERVER, frame(67, 0, 1, steps_of(preview("picture")))),
        bad("an output that is no map", TO_SERVER, frame(67, 0, 1, steps_of(done([1])))),
    ]


def broken_spans() -> list[Vector]:
    """References to bytes that the payload does not have, and tensors that are none."""
    return [
        stream(
            "a tensor behind the payload",
            TO_SERVER,
            frame(67, 0, 1, steps_of(done({"v": tensor([1, 2], 4, 8)})), bytes(8)),
            [],
            "span",
        ),
        stream(
            "a tensor without payload",
            TO_SERVER,
            frame(67, 0, 1, steps_of(done({"v": tensor([1, 2], 0, 8)}))),
            [],
            "span",
        ),
        stream(
            "a tensor deep in a list",
            TO_SERVER,
            frame(67, 0, 1, steps_of(done({"a": [{"b": tensor([1], 9, 4)}]})), bytes(8)),
            [],
            "span",
        ),
        stream(
            "a tensor among partial values",
            TO_SERVER,
            frame(68, 0, 1, {"task": 1, "values": [tensor([1], 8, 4)], "left": 1}, bytes(8)),
            [],
            "span",
        ),
        bad(
            "a tensor with too few bytes for its shape",
            TO_SERVER,
            frame(67, 0, 1, steps_of(done({"v": tensor([2, 2], 0, 8)})), bytes(8)),
        ),
        bad(
            "a tensor in a slab with too few bytes for its shape",
            TO_SERVER,
            frame(67, 0, 1, steps_of(done({"v": slab_tensor([100, 200], 80_004)}))),
        ),
        bad(
            "a tensor in a slab without a number",
            TO_SERVER,
            frame(67, 0, 1, steps_of(done({"v": slab_tensor([2], 8) | {"slab": {"offset": 0, "length": 8}}}))),
        ),
        bad(
            "a tensor in chunks with too few bytes for its shape",
            TO_SERVER,
            frame(67, 0, 1, steps_of(done({"v": transfer_tensor([50, 200], 39_996)}))),
        ),
        bad(
            "a large tensor among partial values",
            TO_SERVER,
            frame(68, 0, 1, {"task": 1, "values": [slab_tensor([2], 8)], "left": 1}),
        ),
        bad("a chunk of nothing", TO_SERVER, frame(77, 0, 1, {"transfer": 1, "offset": 0, "totalBytes": 9})),
        bad(
            "a chunk beyond its transfer",
            TO_SERVER,
            frame(77, 0, 1, {"transfer": 1, "offset": 2, "totalBytes": 9}, bytes(8)),
        ),
        bad("a chunk without an offset", TO_SERVER, frame(77, 0, 1, {"transfer": 1, "totalBytes": 9}, bytes(9))),
        bad(
            "a tensor of unknown dtype",
            TO_SERVER,
            frame(67, 0, 1, steps_of(done({"v": tensor([2], 0, 8) | {"dtype": "float31"}})), bytes(8)),
        ),
    ]


def broken_ends() -> list[Vector]:
    """Streams that end inside a frame."""
    whole = frame(67, 0, 1, steps_of(done({"v": tensor([1], 0, 4)})), bytes(4))
    pong: Words = (69, 8, 8, {"progress": 0, "busy": False}, b"")
    return [
        stream("the end inside a magic", TO_WORKER, MAGIC[:2], [], "truncated"),
        stream("the end inside a header", TO_SERVER, whole[:23], [], "truncated"),
        stream("the end before the metadata", TO_SERVER, whole[:24], [], "truncated"),
        stream("the end inside the metadata", TO_SERVER, whole[:30], [], "truncated"),
        stream("the end inside the payload", TO_SERVER, whole[:-1], [], "truncated"),
        stream("a good frame before half a frame", TO_SERVER, framed(pong) + whole[:40], [pong], "truncated"),
    ]
