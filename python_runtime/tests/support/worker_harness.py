"""Starts the real worker process and speaks raw protocol with it, as the server does."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from hearth_worker.protocol.codec import decode_report
from hearth_worker.protocol.decoder import FrameDecoder
from hearth_worker.protocol.frame import Frame, encode_frame
from hearth_worker.protocol.reports import Error, Hello, Loaded, Partial, Report, Steps

REPOSITORY = Path(__file__).parents[3]
MODELS = REPOSITORY / "models"
WAIT_S_MAX = 30.0
# Numbers of tasks that only keep the worker busy.
GATE_TASKS = 1_000_000
STREAM_DESCRIPTOR = 3

Kind = TypeVar("Kind", bound=Report)
Entry = Any


class WorkerEndedError(AssertionError):
    """The worker closed its stream while something was still expected of it."""


class WorkerHarness:
    """One worker. What it says is kept in `heard`, in order; waiting for something fails after 30 s."""

    def __init__(self, engine: str = "none", *, threads: int = 1, variables: Mapping[str, str] | None = None) -> None:
        ours, theirs = socket.socketpair()
        self.stream = ours
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(engine, threads) | dict(variables or {}),
            start_new_session=True,
        )
        theirs.close()
        self.heard: list[tuple[Frame, Report]] = []
        self._decoder = FrameDecoder()
        self._last_request_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Ends the worker, whatever it does."""
        self.stream.close()
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.communicate(timeout=WAIT_S_MAX)

    def hello(self) -> Hello:
        """Waits for its first frame."""
        return self.wait_for(Hello)

    def send(self, frame_type: int, meta: Mapping[str, Any] | None = None, payload: bytes = b"") -> int:
        """Sends a request; returns its number."""
        self._last_request_id += 1
        encoded = msgspec.msgpack.encode(meta or {})
        self.send_bytes(encode_frame(Frame(frame_type, self._last_request_id, 0, encoded, payload)))
        return self._last_request_id

    def send_bytes(self, data: bytes) -> None:
        """Sends anything."""
        self.stream.settimeout(WAIT_S_MAX)
        self.stream.sendall(data)

    def load(self, folder: Path, model: int = 1, **manifest_changes: Any) -> Loaded:
        """Loads a model with all its components; fails if the worker refuses."""
        request_id = self.send(1, load_meta(folder, model, **manifest_changes))
        answer = self.answer_to(request_id)
        assert isinstance(answer, Loaded), answer
        return answer

    def load_noop(
        self, model: int = 1, *, batch_limit: int = 64, hold_ms: float = 0, interactive_first: bool = True
    ) -> None:
        """Loads the model of the no-op program."""
        manifest = {"name": "noop", "engine": "none", "components": [], "graph": [{"program": "noop"}]}
        self.send(1, {"model": model, "manifest": manifest, "directory": "/", "components": []})
        self.set_policy(model, batch_limit, hold_ms=hold_ms, interactive_first=interactive_first)
        self.wait_for(Loaded, lambda loaded: loaded.model == model)

    def set_policy(self, model: int, batch_limit: int, *, hold_ms: float = 0, interactive_first: bool = True) -> None:
        """Sends POLICY."""
        meta = {"model": model, "batchLimit": batch_limit, "holdMs": hold_ms, "interactiveFirst": interactive_first}
        self.send(6, meta | {"interruptAfterMs": 5})

    def admit(self, *tasks: Mapping[str, Any]) -> int:
        """Sends one ADMIT."""
        return self.send(3, {"tasks": tasks})

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
            if entry["task"] in tasks and entry["kind"] in ("done", "failed", "cancelled", "withdrawn"):
                assert entry["task"] not in ends, f"task {entry['task']} ended twice"
                ends[entry["task"]] = entry
                if len(ends) == len(tasks):
                    return ends
        raise AssertionError("unreachable: entries() raises at the end of the stream")

    @contextmanager
    def during_a_step(self, folder: Path) -> Iterator[None]:
        """What is sent inside has been taken before a step ends; needs the programs of `third_party`."""
        path = folder / f"gate-{self._last_request_id}"
        os.mkfifo(path)
        number = GATE_TASKS + self._last_request_id
        self.admit(task(number, program="gate", request={"path": str(path)}))
        self.wait_for_entry("started", number)
        yield
        self.acknowledged(self._last_request_id)
        path.write_bytes(b"open")
        self.wait_for_end_of(number)

    def acknowledged(self, request_id: int) -> None:
        """Waits until a request is acknowledged."""
        for index, _ in enumerate(self.reports()):
            if self.heard[index][0].acknowledged >= request_id:
                return

    def entries(self) -> Iterator[tuple[Entry, bytes]]:
        """Entries of all STEPS from the start, each with its frame's payload; waits for more."""
        for index, report in enumerate(self.reports()):
            if isinstance(report, Steps):
                payload = self.heard[index][0].payload
                for entry in report.entries:
                    yield msgspec.to_builtins(entry), payload

    def items_of(self, task: int) -> list[Any]:
        """Partial items of a task that were heard so far."""
        reports = (report for _, report in self.heard)
        return [v for report in reports if isinstance(report, Partial) and report.task == task for v in report.values]

    def text_of(self, task: int) -> str:
        """Text of a task that was heard so far."""
        steps = (report for _, report in self.heard if isinstance(report, Steps))
        entries = (msgspec.to_builtins(entry) for report in steps for entry in report.entries)
        return "".join(entry["text"] for entry in entries if entry["kind"] == "text" and entry["task"] == task)

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

    def stream_error(self) -> Error:
        """The ERROR with which it gives up the stream; the process has ended afterwards."""
        self.listen_to_the_end()
        errors = [report for frame, report in self.heard if isinstance(report, Error) and frame.request_id == 0]
        assert len(errors) == 1, [report for _, report in self.heard]
        return errors[0]

    def exit_status(self) -> int:
        """Waits for the end of the process; negative: of that signal."""
        return self.process.wait(WAIT_S_MAX)

    def outputs(self) -> tuple[str, str]:
        """What it wrote to standard output and error, to its end."""
        out, err = self.process.communicate(timeout=WAIT_S_MAX)
        return out.decode(), err.decode()


# The socket has to be descriptor 3 exactly; Popen keeps the number that it has here.
LAUNCH = f"""
import os, sys
number = int(sys.argv[1])
if number != {STREAM_DESCRIPTOR}:
    os.dup2(number, {STREAM_DESCRIPTOR})
    os.close(number)
os.set_inheritable({STREAM_DESCRIPTOR}, True)
os.execv(sys.executable, [sys.executable, "-m", "hearth_worker"])
"""


@contextmanager
def noop_worker(variables: Mapping[str, str] | None = None, **policy: Any) -> Iterator[WorkerHarness]:
    """A worker that has the no-op program loaded as model 1."""
    with WorkerHarness(variables=variables) as worker:
        worker.hello()
        worker.load_noop(**policy)
        yield worker


def task(
    number: int,
    *,
    program: str = "noop",
    request: Mapping[str, Any] | None = None,
    task_class: str = "interactive",
    **fields: Any,
) -> dict[str, Any]:
    """A Task; its order is its number unless said otherwise."""
    return {
        "task": number,
        "model": 1,
        "program": program,
        "components": [],
        "request": request or {"parameters": {}},
        "class": task_class,
        "order": number,
        "credit": 4096,
        "attempt": 1,
    } | fields


def noop_task(number: int, parameters: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A task of the no-op program."""
    return task(number, request={"parameters": dict(parameters or {})}, **fields)


def load_meta(folder: Path, model: int, **manifest_changes: Any) -> dict[str, Any]:
    """A LOAD of the model in a folder, all components."""
    manifest = msgspec.json.decode((folder / "model.json").read_bytes()) | manifest_changes
    names: Sequence[str] = [component["name"] for component in manifest["components"]]
    return {"model": model, "manifest": manifest, "directory": str(folder), "components": names}


def environment(engine: str, threads: int) -> dict[str, str]:
    """What the server sets, and what the interpreter needs."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return inherited | {
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",
        "HEARTH_WORKER_ID": "7",
        "HEARTH_EPOCH": "7",
        "HEARTH_ENGINE": engine,
        "HEARTH_THREADS": str(threads),
        "HEARTH_CORES": "",
    }


def kill(pid: int) -> None:
    """As `kill -9`."""
    os.kill(pid, signal.SIGKILL)
