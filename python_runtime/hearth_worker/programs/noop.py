"""A program that computes nothing: what is left is the cost of everything around a computation. Faults on request."""

import os
import time
from collections.abc import Hashable, Sequence
from functools import lru_cache
from math import inf
from threading import Event
from typing import Any, ClassVar

from msgspec import Struct

from hearth_worker.engines.engine import LoadedModel
from hearth_worker.failures import OutOfMemory
from hearth_worker.programs.outcomes import Advanced, Done, Failed, Progress
from hearth_worker.programs.program import Program, Promise
from hearth_worker.protocol.tensors import Tensor

ITEMS_PER_STEP = 4096
EXIT_STATUS = 86
TENSORS_KEPT = 16


class NoopParameters(Struct, rename="camel", frozen=True):
    """All optional. Steps are counted from 1."""

    # Comes back as the output.
    value: Any = None
    # Partial items to emit: 0, 1, 2, ...
    items: int = 0
    # Steps to take, if the items do not need more.
    steps: int = 1
    # How long each of them sleeps.
    step_ms: float = 0
    # And how much longer for each state of these parameters that shares it: a cost of step_ms + step_ms_each x batch.
    step_ms_each: float = 0
    # Private memory that each state takes for as long as a step lasts.
    step_bytes: int = 0
    # The process ends without a word in this step.
    exit_at_step: int | None = None
    # This step never ends.
    hang_at_step: int | None = None
    # Neither does this one, and it computes.
    spin_at_step: int | None = None
    # This step raises.
    fail_at_step: int | None = None
    # The output carries a tensor of so many bytes for each of these.
    tensor_bytes: list[int] = []
    # A step of more states than this does not fit into memory.
    out_of_memory_above: int | None = None


class NoopRequest(Struct, frozen=True):
    """The parameters of task `program`."""

    parameters: NoopParameters = NoopParameters()


class NoopState(Struct, frozen=True):
    """How far it is."""

    parameters: NoopParameters
    steps_done: int = 0
    items_done: int = 0


class NoopArtifact(Struct, rename="camel", frozen=True):
    """Bytes that count up from the number of the tensor: 0, 1, 2, ... of the first, 1, 2, 3, ... of the second."""

    mime_type: str
    data: Tensor


class NoopOutput(Struct, frozen=True, omit_defaults=True):
    """What was given as `value`, and the tensors that were asked for."""

    values: Any
    artifacts: list[NoopArtifact] = []


class Noop(Program[NoopRequest, NoopState, NoopOutput]):
    """Every state may share a step with every other."""

    promise: ClassVar[Promise] = "bitwise"
    request_type: ClassVar[type] = NoopRequest
    # It sleeps.
    waits_outside: ClassVar[bool] = True

    def __init__(self, model: LoadedModel, components: Sequence[str]) -> None:
        """Needs nothing of either."""

    def start(self, request: NoopRequest) -> NoopState:
        return NoopState(request.parameters)

    def batch_key(self, state: NoopState) -> Hashable:  # noqa: ARG002
        return None

    def expected_step_ms(self, states: Sequence[NoopState]) -> float:
        """A fatal step lasts for ever, so that it is announced."""
        return inf if any(map(_is_fatal, states)) else _step_ms(states)

    def step(self, states: Sequence[NoopState]) -> list[Advanced[NoopState] | Done[NoopOutput] | Failed]:
        _misbehave(states)
        _held = [_touched(state.parameters.step_bytes) for state in states]
        step_ms = _step_ms(states)
        if step_ms > 0:
            time.sleep(step_ms / 1000)
        return [_advance(state) for state in states]


def _advance(state: NoopState) -> Advanced[NoopState] | Done[NoopOutput]:
    parameters = state.parameters
    steps = state.steps_done + 1
    if parameters.items == 0:
        if steps >= parameters.steps:
            return Done(_output(parameters))
        return Advanced(NoopState(parameters, steps), Progress(steps, parameters.steps, "steps"))
    items_done = min(state.items_done + ITEMS_PER_STEP, parameters.items)
    items = range(state.items_done, items_done)
    progress = Progress(items_done, parameters.items, "items")
    if steps >= parameters.steps and items_done == parameters.items:
        return Done(_output(parameters), progress, items=items)
    return Advanced(NoopState(parameters, steps, items_done), progress, items=items)


def _output(parameters: NoopParameters) -> NoopOutput:
    tensors = (_counting(number, size) for number, size in enumerate(parameters.tensor_bytes))
    return NoopOutput(parameters.value, [NoopArtifact("application/octet-stream", tensor) for tensor in tensors])


@lru_cache(maxsize=TENSORS_KEPT)
def _counting(number: int, size_bytes: int) -> Tensor:
    """Kept, so that making it is no part of what is measured."""
    period = bytes((number + byte) % 256 for byte in range(256))
    data = (period * (size_bytes // 256 + 1))[:size_bytes]
    return Tensor("uint8", [size_bytes], data)


def _touched(size_bytes: int) -> bytes:
    """Memory that is really there. Raises MemoryError."""
    return b"\x01" * size_bytes


def _step_ms(states: Sequence[NoopState]) -> float:
    return max(state.parameters.step_ms for state in states) + sum(state.parameters.step_ms_each for state in states)


def _is_fatal(state: NoopState) -> bool:
    parameters = state.parameters
    return state.steps_done + 1 in (parameters.exit_at_step, parameters.hang_at_step, parameters.spin_at_step)


def _misbehave(states: Sequence[NoopState]) -> None:
    """In the order: end, hang, spin, run out of memory, fail."""
    for state in states:
        if state.steps_done + 1 == state.parameters.exit_at_step:
            os._exit(EXIT_STATUS)
    for state in states:
        if state.steps_done + 1 == state.parameters.hang_at_step:
            Event().wait()
        while state.steps_done + 1 == state.parameters.spin_at_step:
            pass
    limits = [state.parameters.out_of_memory_above for state in states]
    if any(limit is not None and len(states) > limit for limit in limits):
        raise OutOfMemory(f"a step of {len(states)} was too large, as asked")
    for state in states:
        if state.steps_done + 1 == state.parameters.fail_at_step:
            raise RuntimeError(f"step {state.parameters.fail_at_step} failed, as asked")
