"""Vectors of streams that a receiver takes whole: one of every type, and what is unusual but allowed."""

from tests.vectors.example_metadata import (
    LARGEST_ID,
    checkpointed_meta,
    done,
    error_meta,
    every_entry,
    following_task,
    hello_meta,
    large_tensors_meta,
    load_meta,
    policy_meta,
    restore_meta,
    stats_meta,
    step_times_meta,
    steps_of,
    task_of,
    tensor,
    tensors_meta,
    verified_load_meta,
    without,
)
from tests.vectors.frame_bytes import TO_SERVER, TO_WORKER, Vector, frame, good, raw_frame, stream

MIB = 1024 * 1024


def requests() -> list[Vector]:
    """One of every type that the server sends."""
    task = task_of(1)
    slab = {"slabId": 3, "generation": 7}
    refused = {"sizeBytes": 64 * MIB, "pauseMs": 1000}
    return [
        good("LOAD", TO_WORKER, (1, 1, 0, load_meta(), b"")),
        good("LOAD of verified files", TO_WORKER, (1, 1, 0, verified_load_meta(), b"")),
        good("UNLOAD", TO_WORKER, (2, 2, 0, {"model": 1}, b"")),
        good("ADMIT of two tasks", TO_WORKER, (3, 3, 0, {"tasks": [task, task_of(2, {"deadlineMs": 250.5})]}, b"")),
        good("ADMIT of a task that takes and holds", TO_WORKER, (3, 3, 0, {"tasks": [following_task()]}, b""), "hold"),
        good("WITHDRAW", TO_WORKER, (4, 4, 0, {"tasks": [1, 2]}, b"")),
        good("CANCEL", TO_WORKER, (5, 5, 0, {"tasks": [LARGEST_ID]}, b"")),
        good("POLICY", TO_WORKER, (6, 6, 0, policy_meta(), b"")),
        good("CREDIT", TO_WORKER, (7, 7, 0, {"tasks": [{"task": 1, "items": 4096}]}, b"")),
        good("PING", TO_WORKER, (8, 8, 0, {}, b"")),
        good("STATS", TO_WORKER, (9, 9, 0, {}, b"")),
        good("SHUTDOWN", TO_WORKER, (10, 10, 0, {}, b"")),
        good("LEASE", TO_WORKER, (11, 11, 0, {}, b""), "lease"),
        good("REVOKE", TO_WORKER, (12, 12, 0, {}, b""), "lease"),
        good("PAUSE", TO_WORKER, (13, 13, 0, {"tasks": [1]}, b""), "pause"),
        good("RESUME", TO_WORKER, (14, 14, 0, {"tasks": [1]}, b""), "pause"),
        good("CHECKPOINT", TO_WORKER, (15, 15, 0, {"tasks": [1]}, b""), "checkpoint"),
        good("RESTORE", TO_WORKER, (16, 16, 0, restore_meta(b"\x00state\xff"), b""), "checkpoint"),
        good("SLAB_GRANT", TO_WORKER, (17, 17, 0, {"slabs": [slab | {"path": "/a", "sizeBytes": MIB}]}, b""), "slabs"),
        good("SLAB_GRANT of nothing", TO_WORKER, (17, 17, 0, {"slabs": [], "refused": refused}, b""), "slabs"),
        good("SLAB_RETURN", TO_WORKER, (18, 18, 0, {"slabs": [slab]}, b""), "slabs"),
        good("SLAB_RECALL", TO_WORKER, (19, 19, 0, {"slabs": [slab]}, b""), "slabs"),
        good("RELEASE", TO_WORKER, (20, 20, 0, {"tasks": [1, LARGEST_ID]}, b""), "hold"),
    ]


def reports() -> list[Vector]:
    """One of every type that a worker sends."""
    port = {"name": "input_ids", "dtype": "int64", "shape": ["batch", "sequence"]}
    component = {"model": 1, "component": "unet", "loadMs": 9.25, "weightsBytes": 90_868_376}
    loaded = {"model": 1, "loadMs": 9.25, "weightsBytes": 90_868_376, "privateBytes": 2_097_152}
    return [
        good("HELLO", TO_SERVER, (64, 0, 0, hello_meta(), b"")),
        good("LOADED", TO_SERVER, (65, 1, 1, loaded | {"inputs": [port], "outputs": []}, b"")),
        good("LOADED without ports", TO_SERVER, (65, 1, 1, loaded, b"")),
        good("UNLOADED", TO_SERVER, (66, 2, 2, {"model": 1, "privateBytes": 9_000_000}, b"")),
        good("STEPS of every kind", TO_SERVER, (67, 0, 3, {"entries": every_entry(), "progress": 17}, b"")),
        good("STEPS with two tensors", TO_SERVER, (67, 0, 3, tensors_meta(), bytes(range(24)))),
        good("STEPS with large tensors", TO_SERVER, (67, 0, 3, large_tensors_meta(), bytes(range(8)))),
        good(
            "PARTIAL",
            TO_SERVER,
            (68, 0, 3, {"task": 1, "values": [0, -1, 1.5, "é", None, True, [1], {}], "left": 0}, b""),
        ),
        good("PONG", TO_SERVER, (69, 8, 8, {"progress": 17, "busy": True}, b"")),
        good("STATS_REPORT", TO_SERVER, (70, 9, 9, stats_meta(), b"")),
        good("LOG", TO_SERVER, (71, 0, 9, {"level": "warning", "message": "Grüße 🌈", "logger": "hearth_worker"}, b"")),
        good("ERROR", TO_SERVER, (72, 11, 11, error_meta("unsupported"), b"")),
        good("ERROR to the stream", TO_SERVER, (72, 0, 11, error_meta("protocol"), b"")),
        good("ACK", TO_SERVER, (73, 0, 12, {}, b"")),
        good("REVOKED", TO_SERVER, (74, 12, 12, {"stepMs": 3.5}, b""), "lease"),
        good("CHECKPOINTED", TO_SERVER, (75, 0, 15, checkpointed_meta(b"\x00state\xff"), b""), "checkpoint"),
        good("SLAB_REQUEST", TO_SERVER, (76, 0, 15, {"sizeBytes": 12 * MIB, "count": 2}, b""), "slabs"),
        good("CHUNK", TO_SERVER, (77, 0, 15, {"transfer": 4, "offset": 65_536, "totalBytes": 65_539}, b"end")),
        good("SLABS_DROPPED", TO_SERVER, (78, 19, 19, {"slabs": [{"slabId": 3, "generation": 7}]}, b""), "slabs"),
        good("COMPONENT_LOADED", TO_SERVER, (79, 0, 19, component, b"")),
        good("STEP_TIMES", TO_SERVER, (80, 0, 19, step_times_meta(), b"")),
    ]


def tolerated() -> list[Vector]:
    """Unusual, but as the protocol says."""
    wide = b"\x81\xd9\x05tasks\xdd\x00\x00\x00\x01\xcf" + (7).to_bytes(8, "big")
    wide_map = b"\xdf\x00\x00\x00\x01\xa5tasks\x91\x07"
    withdrawn = (4, 1, 0, {"tasks": [7]}, b"")
    cautious = {"model": 1, "batchLimit": 1, "holdMs": 0, "interactiveFirst": True}
    shareless = policy_meta() | {"checkpointSteps": 0, "inferenceShare": 0}
    usual = {"hold": None, "inputs": None, "stage": None}
    return [
        good("requestId at its end", TO_WORKER, (8, 2**32 - 1, 0, {}, b"")),
        good("acknowledged at its end", TO_SERVER, (73, 0, 2**32 - 1, {}, b"")),
        good("ADMIT of nothing", TO_WORKER, (3, 1, 0, {"tasks": []}, b"")),
        good("an optional field that is nil", TO_WORKER, (3, 1, 0, {"tasks": [task_of(1, {"deadlineMs": None})]}, b"")),
        good("a POLICY of the required fields only", TO_WORKER, (6, 6, 0, cautious, b"")),
        good("a share of nothing and no checkpoints", TO_WORKER, (6, 6, 0, shareless, b"")),
        good("a task that says what is usual", TO_WORKER, (3, 1, 0, {"tasks": [task_of(1, usual)]}, b"")),
        good("a saved state of no bytes", TO_WORKER, (16, 1, 0, restore_meta(b""), b""), "checkpoint"),
        good("a STATS_REPORT without a hand-over", TO_SERVER, (70, 9, 9, without(stats_meta(), "handOver"), b"")),
        good("a negative order", TO_WORKER, (3, 1, 0, {"tasks": [task_of(1, {"order": -3})]}, b"")),
        good("an empty text", TO_SERVER, (67, 0, 1, steps_of({"kind": "text", "task": 1, "item": 0, "text": ""}), b"")),
        good("STEPS without entries", TO_SERVER, (67, 0, 1, steps_of(), b"")),
        good("a tensor of no rows", TO_SERVER, (67, 0, 1, steps_of(done({"v": tensor([0, 4], 0, 0)})), b"")),
        good("a payload nobody refers to", TO_SERVER, (73, 0, 1, {}, b"\x00\xff")),
        good("two frames", TO_WORKER, (8, 1, 0, {}, b""), None, (9, 2, 0, {}, b"")),
        stream(
            "unknown fields",
            TO_WORKER,
            frame(2, 2, 0, {"model": 1, "later": [1], "z": {"a": 1}}),
            [(2, 2, 0, {"model": 1}, b"")],
        ),
        stream("integers and lengths written wider than needed", TO_WORKER, raw_frame(4, 1, 0, wide), [withdrawn]),
        stream("a map with a wide length", TO_WORKER, raw_frame(4, 1, 0, wide_map), [withdrawn]),
        stream("nothing at all", TO_WORKER, b"", []),
    ]
