"""The contract between the step loop and whatever a task computes."""

from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar, Literal, Protocol, TypeVar

from hearth_worker.programs.outcomes import Advanced, Done, Failed

Input_contra = TypeVar("Input_contra", contravariant=True)
State = TypeVar("State")
Output_co = TypeVar("Output_co", covariant=True)

Promise = Literal["bitwise", "tolerance", "continuation"]


class Program(Protocol[Input_contra, State, Output_co]):
    """A task as steps. States are independent: any subset with equal batch_key may share a step.

    One instance serves all tasks of a loaded model; it is made as `Program(model, components)`, with the engine's
    loaded model and the names of the components it runs on. All methods are called in the worker's main thread, but
    for `interrupt`.
    """

    # What a result promises alone, in any company, or interrupted: the same bytes, the same within a tolerance, or for
    # what was paused only that it goes on from what was shown.
    promise: ClassVar[Promise]
    # The engine family whose loaded models it understands; None: any.
    engine: ClassVar[str | None] = None
    # A msgspec type; requests are converted to it before `start`.
    request_type: ClassVar[type]
    # Whether `interrupt` ends a step.
    interruptible: ClassVar[bool] = False
    # Whether steps wait for something outside and do nothing meanwhile; `expected_step_ms` says how long.
    waits_outside: ClassVar[bool] = False
    # For engines that compute between steps: how many states the engine carries at once. Later states wait unstarted,
    # where they can still be withdrawn. None: nothing is computed but in `step`.
    seats: int | None = None

    def start(self, request: Input_contra) -> State:
        """A new state; cheap, for it runs at admission. Raises InvalidRequest."""
        ...

    def start_after(self, request: Input_contra, inputs: Mapping[str, object]) -> State:  # noqa: ARG002
        """As `start`, for a task that follows others of its job: `inputs` are their outputs, the objects themselves, by
        the names of their nodes in the manifest's order. Raises InvalidRequest, InputMissing."""
        return self.start(request)

    def batch_key(self, state: State) -> Hashable: ...

    def step(self, states: Sequence[State]) -> Sequence[Advanced[State] | Done[Output_co] | Failed]:
        """One outcome per state, in order. New state replaces the old only on return, so a step may be
        interrupted and repeated. Raises OutOfMemory if the batch is too large; no state has moved then."""
        ...

    def interrupt(self) -> None:
        """Has the step that is running raise Interrupted soon, or end; where none is, nothing happens. Called from
        another thread."""
        return

    def clear_interrupt(self) -> None:
        """No step runs, and none is interrupted meanwhile: what came too late for the last one is not to reach the
        next. Called after each step that might have been interrupted."""
        return

    def ready(self, state: State) -> bool:  # noqa: ARG002
        """Whether a step has anything to do for it. Asked again when the engine calls its wake function."""
        return True

    def expected_step_ms(self, states: Sequence[State]) -> float | None:  # noqa: ARG002
        """How long the step will last, if the program knows; otherwise the loop goes by what it has measured.

        A step that does nothing for a second counts as hung. One of a program that `waits_outside` may do nothing for
        four times as long as is said here.
        """
        return None

    def keep(self, state: State) -> Output_co | None:  # noqa: ARG002
        """What a cancelled task keeps, or None."""
        return None

    def save(self, state: State) -> bytes | None:  # noqa: ARG002
        """The state written down, or None where it cannot be."""
        return None

    def restore(self, request: Input_contra, saved: bytes) -> State:  # noqa: ARG002
        """The state that `save` wrote down; a program that saves nothing starts again."""
        return self.start(request)

    def restore_after(self, request: Input_contra, inputs: Mapping[str, object], saved: bytes) -> State:  # noqa: ARG002
        """As `restore`, for a task that follows others."""
        return self.restore(request, saved)

    def suspend(self, state: State) -> State | None:  # noqa: ARG002
        """For engines that compute between steps: the state for which nothing is computed any more, with what it has
        emitted; its next step goes on from there. None: it cannot be."""
        return None

    def state_bytes(self, state: State) -> int:  # noqa: ARG002
        """Private memory that the state takes beyond the outputs it was given."""
        return 0

    def release(self, state: State) -> None:  # noqa: ARG002
        """The state is dropped, for whatever reason; called once for each."""
        return
