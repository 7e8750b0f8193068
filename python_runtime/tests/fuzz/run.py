"""Throws inputs at everything the worker reads: `python -m tests.fuzz.run --inputs 1000000 [--target NAME] [--seed N]`.

Each target runs in a process of its own, watched by this one: a hang cannot be seen by what hangs, and a crash of a
library's own code takes its process along. What was found is kept in tests/fuzz/cases and tried first from then on.
"""

import argparse
import gc
import hashlib
import multiprocessing
import sys
import time
import traceback
from ctypes import c_char, c_longlong
from multiprocessing.sharedctypes import RawArray, RawValue
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct

from tests.fuzz.mutate import INPUT_BYTES_MAX, make_input
from tests.fuzz.targets import TARGETS, Target

CASES = Path(__file__).parent / "cases"
INPUT_SECONDS_MAX = 20.0
POLL_SECONDS = 0.2
GROWN_BYTES_MAX = 32 * 1024 * 1024
WARM_UP_SHARE = 0.1
PAGE_BYTES = 4096


class Outcome(Struct, frozen=True):
    """`problem` None: nothing was found."""

    problem: str | None
    done: int
    seconds: float
    grown_bytes: int = 0


class Shared:
    """What the watcher can see at any time."""

    def __init__(self) -> None:
        self.done: Any = RawValue(c_longlong, 0)
        self.length: Any = RawValue(c_longlong, 0)
        self.input: Any = RawArray(c_char, INPUT_BYTES_MAX)


def run_target(name: str, inputs: int, seed: int) -> Outcome:
    """Runs, watches, and keeps the input that went wrong."""
    context = multiprocessing.get_context("spawn")
    shared, (receiver, sender) = Shared(), context.Pipe(duplex=False)
    process = context.Process(
        target=_read_all, args=(name, inputs, seed, shared.done, shared.length, shared.input, sender)
    )
    started = time.monotonic()
    process.start()
    sender.close()
    problem, grown_bytes = _watch(process, receiver, shared)
    process.kill()
    process.join()
    if problem is not None:
        _keep(name, bytes(shared.input[: shared.length.value]))
    elif grown_bytes > GROWN_BYTES_MAX:
        problem = f"Memory has grown by {grown_bytes // 1024} KiB."
    return Outcome(problem, shared.done.value, time.monotonic() - started, grown_bytes)


def _watch(process: Any, receiver: Any, shared: Shared) -> tuple[str | None, int]:
    seen, since = -1, time.monotonic()
    while not receiver.poll(POLL_SECONDS):
        if shared.done.value != seen:
            seen, since = shared.done.value, time.monotonic()
        elif time.monotonic() - since > INPUT_SECONDS_MAX * (3 if seen == 0 else 1):
            return f"No end after {INPUT_SECONDS_MAX} s.", 0
    try:
        found: tuple[str | None, int] = receiver.recv()
    except EOFError:
        process.join()
        return f"The process ended with status {process.exitcode}.", 0
    return found


def _read_all(name: str, inputs: int, seed: int, done: Any, length: Any, current: Any, sender: Any) -> None:
    target = find_target(name)
    random = Random(seed)
    folder = CASES / name
    kept = [path.read_bytes() for path in sorted(folder.iterdir())] if folder.is_dir() else []
    before = 0
    for index in range(-len(kept), inputs):
        if index == int(inputs * WARM_UP_SHARE):
            before = _held_bytes()
        data = kept[index + len(kept)] if index < 0 else make_input(random, target.seeds, target.words)
        current[: len(data)] = data
        length.value = len(data)
        done.value += 1
        try:
            target.read(data)
        except BaseException:
            sender.send((traceback.format_exc(), 0))
            return
    sender.send((None, _held_bytes() - before))


def find_target(name: str) -> Target:
    """Raises KeyError."""
    return {target.name: target for target in TARGETS}[name]


def _held_bytes() -> int:
    """Resident memory, which counts what libraries hold too (Linux)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def _keep(name: str, data: bytes) -> None:
    folder = CASES / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)


def main() -> int:
    """1 when something was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--target", choices=[target.name for target in TARGETS])
    chosen = parser.parse_args()
    status = 0
    for target in TARGETS:
        if chosen.target not in (None, target.name):
            continue
        outcome = run_target(target.name, chosen.inputs, chosen.seed)
        figures = f"{outcome.done} inputs, {outcome.seconds:.1f} s, memory {outcome.grown_bytes // 1024} KiB"
        print(f"{'ok  ' if outcome.problem is None else 'FAIL'} {target.name:20} {figures}", flush=True)  # noqa: T201
        if outcome.problem is not None:
            print(f"     {outcome.problem}", flush=True)  # noqa: T201
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
