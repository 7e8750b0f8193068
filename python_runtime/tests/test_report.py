"""When reports leave, and in what order and size."""

import socket
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from hearth_worker.activity import Activity
from hearth_worker.connection import Connection
from hearth_worker.entry_frames import REPORT_BYTES_MAX, entry_frames
from hearth_worker.item_flow import ItemFlow
from hearth_worker.large_tensors import LargeTensors
from hearth_worker.programs.outcomes import Piece, Preview, Progress
from hearth_worker.protocol.codec import decode_report
from hearth_worker.protocol.decoder import FrameDecoder
from hearth_worker.protocol.entries import AnyEntry, DoneEntry, FailedEntry, TextEntry
from hearth_worker.protocol.frame import META_BYTES_MAX
from hearth_worker.protocol.reports import Checkpointed, Partial, Report, Steps
from hearth_worker.report import Report as Collected


class Watched:
    """A report whose connection ends here."""

    def __init__(self, *, is_joined: bool = True) -> None:
        ours, theirs = socket.socketpair()
        self._ours = ours
        ours.setblocking(False)
        self.report = Collected(Connection(theirs), Activity(), is_joined=is_joined)
        self._decoder = FrameDecoder()

    def sent(self) -> list[Report]:
        """What has left since the last call."""
        try:
            frames, error = self._decoder.feed(self._ours.recv(1024 * 1024))
        except BlockingIOError:
            return []
        assert error is None
        return [decode_report(frame) for frame in frames]

    def close(self) -> None:
        self._ours.close()


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.close()


def test_progress_leaves_at_most_every_10_ms_and_the_newest_wins(watched: Watched) -> None:
    report = watched.report
    report.progressed(1, Progress(1, 9, "steps"))
    report.leave_if_due(1000)
    assert kinds(watched.sent()) == [["step"]]
    report.progressed(1, Progress(2, 9, "steps"))
    report.leave_if_due(1004)
    report.progressed(1, Progress(3, 9, "steps"))
    report.progressed(2, Progress(7, None, "tokens"))
    report.leave_if_due(1009.9)
    assert watched.sent() == []
    assert report.due_at() == 1010
    report.leave_if_due(1010)
    (steps,) = watched.sent()
    assert isinstance(steps, Steps)
    assert [msgspec.to_builtins(entry)["done"] for entry in steps.entries] == [3, 7]
    assert report.due_at() is None


EVENTS = ["started", "wrote", "previewed", "done", "failed", "cancelled", "withdrawn", "paused"]


@pytest.mark.parametrize("event", EVENTS)
def test_what_a_user_sees_leaves_at_once_with_everything_collected(watched: Watched, event: str) -> None:
    report = watched.report
    report.leave(1000)
    report.progressed(7, Progress(1, 2, "steps"))
    report.leave_if_due(1001)
    arguments: dict[str, tuple[Any, ...]] = {
        "wrote": (Piece("a"),),
        "previewed": (Preview(3, "image/png", b"picture"),),
        "done": ({}, 1),
        "cancelled": (None, 0),
        "paused": (4096,),
    }
    if event == "failed":
        report.failed(1, "engine_error", "why", retryable=False)
    else:
        getattr(report, event)(1, *arguments.get(event, ()))
    report.leave_if_due(1001)
    (told,) = kinds(watched.sent())
    names = {"wrote": "text", "previewed": "preview"}
    assert sorted(told) == sorted(["step", names.get(event, event)])


def test_with_joining_switched_off_each_change_leaves_at_once_in_a_frame_of_its_own() -> None:
    watched = Watched(is_joined=False)
    report = watched.report
    for task in (1, 2):
        report.progressed(task, Progress(1, 9, "steps"))
    report.leave_if_due(1000)
    report.progressed(1, Progress(2, 9, "steps"))
    report.leave_if_due(1001)
    assert kinds(watched.sent()) == [["step"], ["step"], ["step"]]
    watched.close()


def test_the_order_is_starts_items_progress_text_previews_checkpoints_ends(watched: Watched) -> None:
    report = watched.report
    flow = ItemFlow(1, 10)
    flow.emit([1, 2])
    report.done(1, {}, 1)
    report.paused(2, 0)
    report.checkpointed(2, 1, b"saved")
    report.previewed(1, Preview(1, "image/png", b"picture"))
    report.wrote(1, Piece("a"))
    report.progressed(1, Progress(1, 1, "steps"))
    report.emitted(1, flow)
    report.started(1)
    report.leave(1000)
    sent = watched.sent()
    assert [type(each) for each in sent] == [Steps, Partial, Steps, Checkpointed, Steps]
    assert kinds(sent) == [["started"], ["step", "text", "preview"], ["done", "paused"]]


def test_the_newest_preview_and_the_newest_checkpoint_of_a_task_win(watched: Watched) -> None:
    report = watched.report
    for step in (1, 2, 3):
        report.previewed(7, Preview(step, "image/png", b"picture"))
        report.checkpointed(7, step, b"saved")
        report.checkpointed(8, step, b"saved")
    report.leave(1000)
    steps, *checkpoints = watched.sent()
    assert isinstance(steps, Steps)
    assert [msgspec.to_builtins(entry)["step"] for entry in steps.entries] == [3]
    assert checkpoints == [Checkpointed(7, 3, b"saved"), Checkpointed(8, 3, b"saved")]


def test_a_checkpoint_leaves_with_the_next_report_and_needs_none_for_itself(watched: Watched) -> None:
    report = watched.report
    report.leave(1000)
    report.checkpointed(1, 5, b"saved")
    report.leave_if_due(1009)
    assert watched.sent() == []
    report.leave_if_due(1010)
    assert [type(each) for each in watched.sent()] == [Checkpointed]


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_a_task_that_has_ended_needs_no_checkpoint(watched: Watched, end: str) -> None:
    report = watched.report
    report.checkpointed(1, 5, b"saved")
    if end == "failed":
        report.failed(1, "engine_error", "why", retryable=False)
    else:
        getattr(report, end)(1, {}, 1)
    report.leave(1000)
    assert [type(each) for each in watched.sent()] == [Steps]


def test_items_of_a_task_that_failed_are_dropped(watched: Watched) -> None:
    flow = ItemFlow(1, 10)
    flow.emit([1])
    watched.report.emitted(1, flow)
    watched.report.failed(1, "engine_error", "why", retryable=False)
    watched.report.leave(1000)
    assert [type(each) for each in watched.sent()] == [Steps]


def test_a_report_is_cut_at_1_mib_unless_one_entry_alone_is_larger() -> None:
    small = [TextEntry(number, 0, "x" * 100_000) for number in range(30)]
    frames = list(entry_frames(small, 1, LargeTensors()))
    assert [entry for _, meta, _ in frames for entry in entries_of(meta)] == small
    assert all(len(meta) <= REPORT_BYTES_MAX for _, meta, _ in frames)
    large = TextEntry(1, 0, "x" * 2 * REPORT_BYTES_MAX)
    frames = list(entry_frames([large, TextEntry(2, 0, "y")], 1, LargeTensors()))
    assert [len(entries_of(meta)) for _, meta, _ in frames] == [1, 1]


def test_an_output_that_no_frame_can_carry_fails_its_task_alone() -> None:
    too_large = "x" * (META_BYTES_MAX + 1)
    done: list[AnyEntry] = [DoneEntry(1, {}, 1), DoneEntry(2, {"v": too_large}, 1), DoneEntry(3, {"v": object()}, 1)]
    told = [entry for _, meta, _ in entry_frames(done, 1, LargeTensors()) for entry in entries_of(meta)]
    assert [type(entry) for entry in told] == [DoneEntry, FailedEntry, FailedEntry]


def entries_of(meta: bytes) -> list[AnyEntry]:
    """Entries of a STEPS."""
    return msgspec.msgpack.decode(meta, type=Steps).entries


def kinds(reports: list[Report]) -> list[list[str]]:
    """Kinds of the entries of each STEPS."""
    return [
        [msgspec.to_builtins(entry)["kind"] for entry in each.entries] for each in reports if isinstance(each, Steps)
    ]
