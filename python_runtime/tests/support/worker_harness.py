"""Starts the real worker process and speaks raw protocol with it, as the server does."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from hearth_worker.protocol.frame import Frame, encode_frame
from hearth_worker.protocol.reports import Loaded, Pong
from tests.support.listener import WAIT_S_MAX, Listener
from tests.support.requests import GATE_TASKS, load_meta, task

STREAM_DESCRIPTOR = 3


class WorkerHarness(Listener):
    """One worker: its process, and what it is asked."""

    def __init__(self, engine: str = "none", *, threads: int = 1, variables: Mapping[str, str] | None = None) -> None:
        ours, theirs = socket.socketpair()
        super().__init__(ours)
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

    def load_noop(self, model: int = 1, *, batch_limit: int = 64, **policy: Any) -> None:
        """Loads the model of the no-op program."""
        manifest = {"name": "noop", "engine": "none", "components": [], "graph": [{"program": "noop"}]}
        self.send(1, {"model": model, "manifest": manifest, "directory": "/", "components": []})
        self.set_policy(model, batch_limit, **policy)
        self.wait_for(Loaded, lambda loaded: loaded.model == model)

    def set_policy(
        self, model: int, batch_limit: int, *, hold_ms: float = 0, interactive_first: bool = True, **fields: Any
    ) -> None:
        """Sends POLICY."""
        meta = {"model": model, "batchLimit": batch_limit, "holdMs": hold_ms, "interactiveFirst": interactive_first}
        self.send(6, meta | {"interruptAfterMs": 5} | fields)

    def admit(self, *tasks: Mapping[str, Any]) -> int:
        """Sends one ADMIT."""
        return self.send(3, {"tasks": tasks})

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

    def exit_status(self) -> int:
        """Waits for the end of the process; negative: of that signal."""
        return self.process.wait(WAIT_S_MAX)

    def outputs(self) -> tuple[str, str]:
        """What it wrote to standard output and error, to its end."""
        out, err = self.process.communicate(timeout=WAIT_S_MAX)
        return out.decode(), err.decode()

    def progress(self) -> int:
        """Steps that the worker has run."""
        pong = self.answer_to(self.send(8))
        assert isinstance(pong, Pong)
        return pong.progress


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
