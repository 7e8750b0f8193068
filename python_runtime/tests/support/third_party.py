"""Programs as a third party would add them: a distribution of its own, found by its entry points."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Hashable, Sequence
from math import inf
from pathlib import Path
from typing import Any, ClassVar

from msgspec import Struct

from hearth_worker.engines.engine import LoadedModel
from hearth_worker.programs.outcomes import Done
from hearth_worker.programs.program import Program, Promise

# Each with its module.
PROGRAMS = {
    **dict.fromkeys(("gate", "hoard", "hold_interpreter", "litter", "look_around", "unsendable"), "third_party"),
    **dict.fromkeys(("mistaken", "think_for_ever"), "mistaken_programs"),
    **dict.fromkeys(("relay", "patient", "thinker"), "patient_programs"),
}
HOARD_BYTES = 100 * 1024 * 1024


def install(folder: Path) -> dict[str, str]:
    """Lays the distribution's metadata into a folder; returns the variables with which a worker finds it."""
    metadata = folder / "third_party-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    lines = [f"{name} = tests.support.{module}:{name.title().replace('_', '')}" for name, module in PROGRAMS.items()]
    broken = "broken = tests.support.no_such_module:Broken"
    (metadata / "entry_points.txt").write_text("\n".join(["[hearth.programs]", *lines, broken, ""]))
    return {"PYTHONPATH": str(folder)}


class Nothing(Struct, frozen=True):
    """No parameters."""


class OneStep(Program[Nothing, Nothing, dict[str, Any]]):
    """Base of programs whose only step gives `output()`."""

    promise: ClassVar[Promise] = "bitwise"
    request_type: ClassVar[type] = Nothing

    def __init__(self, model: LoadedModel, components: Sequence[str]) -> None: ...

    def start(self, request: Nothing) -> Nothing:
        return request

    def batch_key(self, state: Nothing) -> Hashable:
        return None

    def step(self, states: Sequence[Nothing]) -> list[Done[dict[str, Any]]]:
        return [Done(self.output()) for _ in states]

    def output(self) -> dict[str, Any]:
        raise NotImplementedError


class Hoard(OneStep):
    """Keeps memory for as long as its model is loaded."""

    def __init__(self, model: LoadedModel, components: Sequence[str]) -> None:
        self._kept = b"\x01" * HOARD_BYTES

    def output(self) -> dict[str, Any]:
        return {"values": len(self._kept)}


class HoldInterpreter(OneStep):
    """Native code that keeps the interpreter's lock for ever: no other thread of this process runs."""

    def output(self) -> dict[str, Any]:
        # A mutex locked twice by its owner; unlike a sleep it goes on after a signal.
        mutex = ctypes.create_string_buffer(64)
        native = ctypes.PyDLL(None)
        native.pthread_mutex_lock(mutex)
        native.pthread_mutex_lock(mutex)
        return {}


class GateRequest(Struct, frozen=True):
    """Where the gate is."""

    path: str


class Gate(Program[GateRequest, GateRequest, dict[str, Any]]):
    """A step that lasts until somebody opens the named pipe at `path` for writing."""

    promise: ClassVar[Promise] = "bitwise"
    request_type: ClassVar[type] = GateRequest

    def __init__(self, model: LoadedModel, components: Sequence[str]) -> None: ...

    def start(self, request: GateRequest) -> GateRequest:
        return request

    def batch_key(self, state: GateRequest) -> Hashable:
        return None

    def expected_step_ms(self, states: Sequence[GateRequest]) -> float:
        """Nobody knows; so it is announced, however short the last one was."""
        return inf

    def step(self, states: Sequence[GateRequest]) -> list[Done[dict[str, Any]]]:
        for state in states:
            Path(state.path).read_bytes()
        return [Done({}) for _ in states]


class Litter(OneStep):
    """Writes to standard output in every way there is."""

    def output(self) -> dict[str, Any]:
        print("littered by print")  # noqa: T201
        os.write(1, b"littered by write\n")
        libc = ctypes.CDLL(None)
        libc.puts(b"littered by C")
        libc.fflush(None)
        subprocess.run([sys.executable, "-c", "print('littered by a child')"], check=True)
        return {}


class LookAround(OneStep):
    """Tells what a child process inherits, and where this one may run."""

    def output(self) -> dict[str, Any]:
        probe = "import os; print(os.path.exists('/proc/self/fd/3'))"
        child = subprocess.run([sys.executable, "-c", probe], capture_output=True, close_fds=False, check=True)
        return {"childHasStream": child.stdout.strip() == b"True", "cores": sorted(os.sched_getaffinity(0))}


class Unsendable(OneStep):
    """Gives what no frame can carry."""

    def output(self) -> dict[str, Any]:
        return {"value": object()}
