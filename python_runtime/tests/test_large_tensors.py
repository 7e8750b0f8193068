"""Tensors that are too large for a frame: in slabs, or in chunks before it; and what the worker asks for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from hearth_worker import large_tensors
from hearth_worker.check_outcome import checked
from hearth_worker.chunk_sizes import CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, SEEN_PER_LOOK, ChunkSizes
from hearth_worker.entry_frames import entry_frames
from hearth_worker.large_tensors import LargeTensors
from hearth_worker.programs.outcomes import Done, Failed
from hearth_worker.protocol.codec import decode_report
from hearth_worker.protocol.entries import AnyEntry, DoneEntry
from hearth_worker.protocol.frame import Frame
from hearth_worker.protocol.reports import Chunk, Error, Report, SlabRequest, SlabsDropped, Steps
from hearth_worker.protocol.requests import SlabGrant, SlabReference, SlabRefusal, SlabReturn
from hearth_worker.protocol.tensors import INLINE_BYTES_MAX, Tensor
from tests.support.requests import noop_task
from tests.support.worker_harness import noop_worker
from tests.test_slabs import KIB, a_slab

LARGE = 100 * KIB


def done(number: int, *sizes: int) -> AnyEntry:
    return DoneEntry(number, {"v": [Tensor("uint8", [size], bytes([number]) * size) for size in sizes]}, 1)


def frames(entries: Sequence[AnyEntry], large: LargeTensors) -> list[tuple[Report, bytes]]:
    """What leaves, read as the server reads it."""
    return [
        (decode_report(Frame(frame_type, 0, 0, meta, bytes(payload))), bytes(payload))
        for frame_type, meta, payload in entry_frames(entries, 1, large)
    ]


def kinds(sent: Sequence[tuple[Report, bytes]]) -> list[type[Report]]:
    return [type(report) for report, _ in sent]


def tensors_of(steps: Report) -> list[dict[str, Any]]:
    assert isinstance(steps, Steps)
    outputs = [msgspec.to_builtins(entry)["output"] for entry in steps.entries if isinstance(entry, DoneEntry)]
    return [tensor for output in outputs for tensor in output["v"]]


def test_small_tensors_are_inline_and_large_ones_are_not() -> None:
    sent = frames([done(1, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1)], LargeTensors())
    assert kinds(sent) == [SlabRequest, Chunk, Steps]
    inline, large = tensors_of(sent[-1][0])
    assert (inline["span"], large["transfer"]) == (
        {"offset": 0, "length": INLINE_BYTES_MAX},
        {"id": 1, "length": INLINE_BYTES_MAX + 1},
    )


def test_where_small_ones_fill_the_payload_the_rest_of_them_is_elsewhere() -> None:
    sent = frames([done(1, *[INLINE_BYTES_MAX] * 520), done(2, 5)], LargeTensors())
    assert [kind for kind in kinds(sent) if kind is Steps] == [Steps]
    steps, payload = sent[-1]
    places = [next(name for name in ("span", "transfer") if name in tensor) for tensor in tensors_of(steps)]
    assert places == ["span"] * 512 + ["transfer"] * 8 + ["transfer"]
    assert len(payload) == 512 * INLINE_BYTES_MAX


def test_more_chunks_than_a_frame_may_refer_to_go_with_several_frames_or_fail_their_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(large_tensors, "TRANSFERS_MAX", 3)
    monkeypatch.setattr(large_tensors, "TRANSFERS_BYTES_MAX", 10 * LARGE)
    entries = [done(1, LARGE, LARGE), done(2, LARGE, LARGE), done(3, *[LARGE] * 4), done(4, 11 * LARGE), done(5, LARGE)]
    sent = frames(entries, LargeTensors())
    told = [msgspec.to_builtins(entry) for report, _ in sent if isinstance(report, Steps) for entry in report.entries]
    assert [entry["kind"] for entry in told] == ["done", "done", "failed", "failed", "done"]
    assert "its large tensors are more than 3, or take more than" in told[2]["message"]
    assert [report.transfer for report, _ in sent if isinstance(report, Chunk) and report.offset == 0] == [
        1,
        2,
        3,
        4,
        5,
    ]


def test_chunks_come_in_order_before_the_frame_and_make_up_the_tensor() -> None:
    sent = frames([done(1, LARGE), done(2, 2 * LARGE)], LargeTensors())
    chunks = [(report, payload) for report, payload in sent if isinstance(report, Chunk)]
    assert kinds(sent) == [SlabRequest, *[Chunk] * len(chunks), Steps]
    for transfer, size in ((1, LARGE), (2, 2 * LARGE)):
        mine = [(chunk, payload) for chunk, payload in chunks if chunk.transfer == transfer]
        assert all(chunk.total_bytes == size and len(payload) <= CHUNK_BYTES_MIN for chunk, payload in mine)
        assert [chunk.offset for chunk, _ in mine] == list(range(0, size, CHUNK_BYTES_MIN))
        assert b"".join(payload for _, payload in mine) == bytes([transfer]) * size


def test_a_slab_is_used_when_there_is_one(tmp_path: Path) -> None:
    large = LargeTensors()
    assert large.take(SlabGrant([a_slab(tmp_path, 5, 256 * KIB, 3)])) == []
    sent = frames([done(1, LARGE), done(2, LARGE)], large)
    assert kinds(sent) == [Steps]
    assert [tensor["slab"] for tensor in tensors_of(sent[0][0])] == [
        {"slabId": 5, "generation": 3, "offset": 0, "length": LARGE},
        {"slabId": 5, "generation": 3, "offset": LARGE, "length": LARGE},
    ]
    assert kinds(frames([done(3, LARGE)], large))[-2:] == [Chunk, Steps]
    large.take(SlabReturn([SlabReference(5, 4)]))
    assert [tensor["slab"]["generation"] for tensor in tensors_of(frames([done(3, LARGE)], large)[0][0])] == [4]


def test_an_output_that_cannot_be_sent_takes_no_room(tmp_path: Path) -> None:
    large = LargeTensors()
    large.take(SlabGrant([a_slab(tmp_path, 5, 256 * KIB)]))
    sent = frames([done(1, LARGE), DoneEntry(2, {"v": [object()]}, 1), done(3, LARGE)], large)
    told = [entry for report, _ in sent if isinstance(report, Steps) for entry in report.entries]
    assert [msgspec.to_builtins(entry)["kind"] for entry in told] == ["done", "failed", "done"]
    places = [tensor for report, _ in sent if isinstance(report, Steps) for tensor in tensors_of(report)]
    # The slab went with the first frame, so the last output came in chunks, under the first number there is.
    assert places[0]["slab"]["offset"] == 0
    assert places[1]["transfer"]["id"] == 1


def test_room_is_asked_for_once_and_again_when_there_was_an_answer() -> None:
    large = LargeTensors()
    assert frames([done(1, LARGE, 2 * LARGE)], large)[0][0] == SlabRequest(2 * LARGE, 2)
    assert SlabRequest not in kinds(frames([done(2, LARGE)], large))
    large.take(SlabGrant([], SlabRefusal(2 * LARGE, 60_000)))
    assert frames([done(3, LARGE, 2 * LARGE)], large)[0][0] == SlabRequest(LARGE, 1)
    large.take(SlabGrant([], SlabRefusal(0, 60_000)))
    assert SlabRequest not in kinds(frames([done(4, LARGE)], large))
    # Some that come ahead of need change nothing of that.
    large.take(SlabGrant([]))
    assert SlabRequest not in kinds(frames([done(4, LARGE)], large))
    large.take(SlabGrant([], SlabRefusal(0, 0)))
    assert SlabRequest in kinds(frames([done(5, LARGE)], large))


def test_chunks_follow_the_sizes_that_were_seen() -> None:
    sizes = ChunkSizes()
    for size, expected in ((3 * 1024 * KIB, 4 * 1024 * KIB), (10, CHUNK_BYTES_MIN), (2**30, CHUNK_BYTES_MAX)):
        before = sizes.current_bytes
        for _ in range(SEEN_PER_LOOK - 1):
            sizes.see(size)
        assert sizes.current_bytes == before
        sizes.see(size)
        assert sizes.current_bytes == expected


def test_chunks_stay_as_they_are_where_that_is_switched_off() -> None:
    sizes = ChunkSizes(is_adaptive=False)
    for _ in range(3 * SEEN_PER_LOOK):
        sizes.see(2**30)
    assert sizes.current_bytes == CHUNK_BYTES_MIN


@pytest.mark.parametrize(
    "data",
    [
        b"12345678",
        bytearray(b"12345678"),
        memoryview(b"12345678"),
        np.zeros(2, np.float32),
        np.zeros((2, 1), np.float32),
    ],
    ids=["bytes", "bytearray", "memoryview", "array", "matrix"],
)
def test_whatever_shows_its_bytes_is_a_tensor(data: Any) -> None:
    outcome: Done[Any] = Done({"v": Tensor("float32", [2], data)})
    assert checked(outcome) is outcome


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("12345678", "contiguous bytes, not this str"),
        (np.zeros((2, 2), np.float32)[:, 0], "contiguous bytes, not this ndarray"),
        (np.zeros(3, np.float32), "takes 8 bytes, not 12"),
    ],
    ids=["text", "every other", "too many"],
)
def test_what_does_not_is_the_failure_of_its_task(data: Any, words: str) -> None:
    outcome = checked(Done({"v": Tensor("float32", [2], data)}))
    assert isinstance(outcome, Failed)
    assert words in outcome.message


def test_an_array_without_elements_is_a_tensor() -> None:
    outcome: Done[Any] = Done({"v": Tensor("float32", [0, 4], np.zeros((0, 4), np.float32))})
    assert checked(outcome) is outcome


def test_a_worker_fills_what_it_is_granted_and_drops_what_is_recalled(tmp_path: Path) -> None:
    with noop_worker() as worker:
        slab = a_slab(tmp_path, 5, 256 * KIB)
        granted = {"slabId": 5, "generation": 1, "path": slab.path, "sizeBytes": slab.size_bytes}
        worker.acknowledged(worker.send(17, {"slabs": [granted]}))
        worker.admit(noop_task(1, {"tensorBytes": [LARGE]}))
        (artifact,) = worker.wait_for_end_of(1)[1]["output"]["artifacts"]
        assert artifact["data"]["slab"] == {"slabId": 5, "generation": 1, "offset": 0, "length": LARGE}
        assert Path(slab.path).read_bytes()[:LARGE] == bytes(byte % 256 for byte in range(LARGE))
        dropped = worker.answer_to(worker.send(19, {"slabs": [{"slabId": 5, "generation": 1}]}))
        assert dropped == SlabsDropped([])
        worker.send(18, {"slabs": [{"slabId": 5, "generation": 2}]})
        dropped = worker.answer_to(worker.send(19, {"slabs": [{"slabId": 5, "generation": 2}]}))
        assert dropped == SlabsDropped([SlabReference(5, 2)])
        worker.admit(noop_task(2, {"tensorBytes": [LARGE]}))
        (artifact,) = worker.wait_for_end_of(2)[2]["output"]["artifacts"]
        assert artifact["data"]["transfer"]["length"] == LARGE


def test_a_worker_says_what_it_cannot_map_and_goes_on(tmp_path: Path) -> None:
    with noop_worker() as worker:
        granted = {"slabId": 5, "generation": 1, "path": str(tmp_path / "missing"), "sizeBytes": 64 * KIB}
        worker.send(17, {"slabs": [granted]})
        assert worker.wait_for(SlabsDropped) == SlabsDropped([SlabReference(5, 1)])
        worker.admit(noop_task(1, {"tensorBytes": [LARGE]}))
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"
        assert not [report for _, report in worker.heard if isinstance(report, Error)]
