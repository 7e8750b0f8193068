"""Programs of third parties that go together with others: that hand on, wait, save, and stop when asked."""

from collections.abc import Hashable, Mapping, Sequence
from threading import Event
from typing import Any, ClassVar

from msgspec import Struct

from hearth_worker.engines.engine import LoadedModel
from hearth_worker.failures import Interrupted, InvalidRequest
from hearth_worker.programs.outcomes import Advanced, Done, Preview, Progress
from hearth_worker.programs.program import Program, Promise


class RelayRequest(Struct, rename="camel", frozen=True):
    """How many bytes to make."""

    size_bytes: int = 0


class Relayed(Struct, frozen=True):
    """What is handed on."""

    data: bytes
    # Which objects came in, by the names that they were given.
    came: dict[str, int] = {}
    anything: object = None


class RelayState(Struct, frozen=True):
    """The request and what came with it."""

    size_bytes: int
    inputs: Mapping[str, Any]


class Relay(Program[RelayRequest, RelayState, Relayed]):
    """Makes bytes, and tells which objects it was given. Its output may be held: it has what no frame can carry."""

    promise: ClassVar[Promise] = "bitwise"
    request_type: ClassVar[type] = RelayRequest

    def __init__(self, model: LoadedModel, components: Sequence[str]) -> None: ...

    def start(self, request: RelayRequest) -> RelayState:
        return self.start_after(request, {})

    def start_after(self, request: RelayRequest, inputs: Mapping[str, object]) -> RelayState:
        return RelayState(request.size_bytes, inputs)

    def batch_key(self, state: RelayState) -> Hashable:
        return None

    def step(self, states: Sequence[RelayState]) -> list[Done[Relayed]]:
        return [Done(_relayed(state)) for state in states]


def _relayed(state: RelayState) -> Relayed:
    came = {name: id(output.data) for name, output in state.inputs.items()}
    return Relayed(bytes(state.size_bytes), came, anything=object() if state.size_bytes else None)


class PatientRequest(Struct, rename="camel", frozen=True):
    """`saved_bytes`: how large what is saved of it is made; 0 = it cannot be saved."""

    steps: int = 1
    step_ms: float = 0
    saved_bytes: int = 8
    preview_bytes: int = 0


class PatientState(Struct, frozen=True):
    """How far it is, and from where it was restored."""

    request: PatientRequest
    steps_done: int = 0
    restored_at: int | None = None


class Patient(Program[PatientRequest, PatientState, dict[str, Any]]):
    """Its steps wait, and can be interrupted."""

    promise: ClassVar[Promise] = "bitwise"
    request_type: ClassVar[type] = PatientRequest
    interruptible: ClassVar[bool] = True

    def __init__(self, model: LoadedModel, components: Sequence[str]) -> None:
        self._is_asked = Event()
        self._interruptions = 0
        self.began = 0

    def start(self, request: PatientRequest) -> PatientState:
        if request.steps < 1:
            raise InvalidRequest("there has to be a step")
        return PatientState(request)

    def batch_key(self, state: PatientState) -> Hashable:
        return None

    def expected_step_ms(self, states: Sequence[PatientState]) -> float:
        return max(state.request.step_ms for state in states)

    def step(self, states: Sequence[PatientState]) -> list[Advanced[PatientState] | Done[dict[str, Any]]]:
        self.began += 1
        if self._is_asked.wait(self.expected_step_ms(states) / 1000):
            self._interruptions += 1
            raise Interrupted("as asked")
        return [self._outcome(state) for state in states]

    def interrupt(self) -> None:
        self._is_asked.set()

    def clear_interrupt(self) -> None:
        self._is_asked.clear()

    def save(self, state: PatientState) -> bytes | None:
        size_bytes = state.request.saved_bytes
        return state.steps_done.to_bytes(8, "little") + bytes(size_bytes - 8) if size_bytes else None

    def restore(self, request: PatientRequest, saved: bytes) -> PatientState:
        steps_done = int.from_bytes(saved[:8], "little")
        if steps_done > request.steps:
            raise ValueError(f"{steps_done} steps of {request.steps}")
        return PatientState(request, steps_done, restored_at=steps_done)

    def state_bytes(self, state: PatientState) -> int:
        return 4096

    def _outcome(self, state: PatientState) -> Advanced[PatientState] | Done[dict[str, Any]]:
        steps_done = state.steps_done + 1
        progress = Progress(steps_done, state.request.steps, "steps")
        preview = Preview(steps_done, "image/png", bytes(size)) if (size := state.request.preview_bytes) else None
        if steps_done < state.request.steps:
            return Advanced(PatientState(state.request, steps_done, state.restored_at), progress, preview=preview)
        output = {"interruptions": self._interruptions, "began": self.began, "restoredAt": state.restored_at}
        return Done(output, progress, preview=preview)


class ThinkerState(Struct, frozen=True):
    """`is_thinking`: the engine computes for it."""

    is_thinking: bool = False
    thoughts: int = 0


class Thinker(Program[RelayRequest, ThinkerState, dict[str, Any]]):
    """An engine that computes for one state at a time, until it is suspended; each time makes a thought."""

    promise: ClassVar[Promise] = "continuation"
    request_type: ClassVar[type] = RelayRequest

    def __init__(self, model: LoadedModel, components: Sequence[str]) -> None:
        self.seats: int | None = 1

    def start(self, request: RelayRequest) -> ThinkerState:
        return ThinkerState()

    def batch_key(self, state: ThinkerState) -> Hashable:
        return None

    def ready(self, state: ThinkerState) -> bool:
        return not state.is_thinking

    def step(self, states: Sequence[ThinkerState]) -> list[Advanced[ThinkerState]]:
        return [
            Advanced(ThinkerState(True, state.thoughts + 1), Progress(state.thoughts + 1, None, "items"))
            for state in states
        ]

    def suspend(self, state: ThinkerState) -> ThinkerState:
        return ThinkerState(False, state.thoughts)
