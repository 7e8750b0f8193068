"""What a worker says: everything that was heard, in order, and waiting for more."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from hearth_worker.protocol.codec import decode_report
from hearth_worker.protocol.decoder import FrameDecoder
from hearth_worker.protocol.frame import Frame
from hearth_worker.protocol.reports import Chunk, Error, Hello, Partial, Report, Steps
from tests.support.requests import GATE_TASKS

WAIT_S_MAX = 30.0
ENDS = ("done", "failed", "cancelled", "withdrawn")

Kind = TypeVar("Kind", bound=Report)
# An entry of STEPS, as a map.
Entry = Any


class WorkerEndedError(AssertionError):
    """The worker closed its stream while something was still expected of it."""


class Listener:
    """Reads the stream of a worker. Waiting for something looks at what was heard first, and fails after 30 s."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.heard: list[tuple[Frame, Report]] = []
        self._decoder = FrameDecoder()

    def hello(self) -> Hello:
        """Waits for its first frame."""
        return self.wait_for(Hello)

    def wait_for(self, kind: type[Kind], matches: Callable[[Kind], bool] = lambda _: True) -> Kind:
        """The first report of that kind that was or will be heard."""
        for report in self.reports():
            if isinstance(report, kind) and matches(report):
                return report
        raise AssertionError("unreachable: reports() raises at the end of the stream")

    def answer_to(self, request_id: int) -> Report:
        """The frame that answers a request."""
        for index, _ in enumerate(self.reports()):
            frame, report = self.heard[index]
            if frame.request_id == request_id:
                return report
        raise AssertionError("unreachable: reports() raises at the end of the stream")

    def acknowledged(self, request_id: int) -> None:
        """Waits until a request is acknowledged."""
        for index, _ in enumerate(self.reports()):
            if self.heard[index][0].acknowledged >= request_id:
                return

    def wait_for_entry(self, kind: str, task: int) -> Entry:
        """The first entry of that kind about that task."""
        for entry, _ in self.entries():
            if entry["kind"] == kind and entry["task"] == task:
                return entry
        raise AssertionError("unreachable: entries() raises at the end of the stream")

    def wait_for_end_of(self, *tasks: int) -> dict[int, Entry]:
        """The last entry of each of these tasks."""
        ends: dict[int, Entry] = {}
        for entry, _ in self.entries():
            if entry["task"] in tasks and entry["kind"] in ENDS:
                assert entry["task"] not in ends, f"task {entry['task']} ended twice"
                ends[entry["task"]] = entry
                if len(ends) == len(tasks):
                    return ends
        raise AssertionError("unreachable: entries() raises at the end of the stream")

    def stream_error(self) -> Error:
        """The ERROR with which it gives up the stream; the process has ended afterwards."""
        self.listen_to_the_end()
        errors = [report for frame, report in self.heard if isinstance(report, Error) and frame.request_id == 0]
        assert len(errors) == 1, [report for _, report in self.heard]
        return errors[0]

    def heard_entries(self) -> list[Entry]:
        """All entries that were heard so far."""
        steps = (report for _, report in self.heard if isinstance(report, Steps))
        return [msgspec.to_builtins(entry) for report in steps for entry in report.entries]

    def kinds_of(self, task: int) -> list[str]:
        """What was told of a task so far, in order."""
        return [entry["kind"] for entry in self.heard_entries() if entry["task"] == task]

    def done_in_order(self) -> list[int]:
        """Tasks that are done, those behind gates aside."""
        done = [entry["task"] for entry in self.heard_entries() if entry["kind"] == "done"]
        return [task for task in done if task < GATE_TASKS]

    def text_of(self, task: int) -> str:
        """Text of a task that was heard so far."""
        entries = self.heard_entries()
        return "".join(entry["text"] for entry in entries if entry["kind"] == "text" and entry["task"] == task)

    def items_of(self, task: int) -> list[Any]:
        """Partial items of a task that were heard so far."""
        reports = (report for _, report in self.heard)
        return [v for report in reports if isinstance(report, Partial) and report.task == task for v in report.values]

    def bytes_of(self, tensor: Any, payload: bytes) -> bytes:
        """Of a tensor in an entry: out of its frame's payload, or of the chunks that came before it."""
        if "span" in tensor:
            span = tensor["span"]
            return payload[span["offset"] : span["offset"] + span["length"]]
        number, length = tensor["transfer"]["id"], tensor["transfer"]["length"]
        pieces = [(c.offset, f.payload) for f, c in self.heard if isinstance(c, Chunk) and c.transfer == number]
        data = b"".join(piece for _, piece in sorted(pieces))
        assert len(data) == length
        return data

    def entries(self) -> Iterator[tuple[Entry, bytes]]:
        """Entries of all STEPS from the start, each with its frame's payload; waits for more."""
        for index, report in enumerate(self.reports()):
            if isinstance(report, Steps):
                payload = self.heard[index][0].payload
                for entry in report.entries:
                    yield msgspec.to_builtins(entry), payload

    def reports(self) -> Iterator[Report]:
        """Everything said from the start; waits for more, and fails at the end of the stream."""
        index = 0
        deadline = time.monotonic() + WAIT_S_MAX
        while True:
            while index < len(self.heard):
                yield self.heard[index][1]
                index += 1
            if not self.listen(deadline - time.monotonic()):
                raise WorkerEndedError(f"the worker closed its stream; it had said {[r for _, r in self.heard[-5:]]}")

    def listen(self, wait_s_max: float) -> bool:
        """Takes what comes next; False at the end of the stream. Raises TimeoutError."""
        self.stream.settimeout(max(wait_s_max, 0.001))
        try:
            data = self.stream.recv(1024 * 1024)
        except ConnectionResetError:
            return False
        frames, error = self._decoder.feed(data)
        assert error is None, error
        self.heard += [(frame, decode_report(frame)) for frame in frames]
        return bool(data)

    def listen_to_the_end(self) -> None:
        """Takes everything until the worker closes its stream."""
        deadline = time.monotonic() + WAIT_S_MAX
        while self.listen(deadline - time.monotonic()):
            pass
