"""A picture of this job, larger: a run of the upscaler for each doubling."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from hearth_worker.programs import hand_over
from hearth_worker.programs.decode_latents import DecodedPicture
from hearth_worker.programs.image_model_options import read_image_options
from hearth_worker.programs.interruptible_runs import InterruptibleRuns
from hearth_worker.programs.outcomes import Advanced, Done, Progress
from hearth_worker.programs.program import Program, Promise
from hearth_worker.programs.upscale_runs import runs_needed
from hearth_worker.protocol.numbers import PositiveCount
from hearth_worker.protocol.tensors import Tensor

if TYPE_CHECKING:
    from hearth_worker.engines.onnx import OnnxModel
    from hearth_worker.engines.onnx_values import Array


class UpscalePictureRequest(Struct, frozen=True):
    """How many times as wide and high."""

    factor: PositiveCount


class UpscalePictureState(Struct, frozen=True):
    """`picture` is float32 [3, height, width] of -1 to 1 after `done` of `runs` runs."""

    picture: "Array"
    runs: int
    done: int = 0


Outcome = Advanced[UpscalePictureState] | Done[DecodedPicture]


class UpscalePicture(Program[UpscalePictureRequest, UpscalePictureState, DecodedPicture]):
    """For graphs that take `picture` and give `picture_large`. Follows a task that gives `picture`. As with decoding,
    what lies side by side shares a run."""

    promise: ClassVar[Promise] = "bitwise"
    engine: ClassVar[str | None] = "onnx"
    request_type: ClassVar[type] = UpscalePictureRequest
    interruptible: ClassVar[bool] = True

    def __init__(self, model: "OnnxModel", components: Sequence[str]) -> None:
        """Raises LoadFailed where manifest or graph are others."""
        # Here, not above: workers of other engines read this file too, and need no numpy.
        from hearth_worker.programs import side_by_side
        from hearth_worker.programs.graph_ports import fitting_component

        self._places = side_by_side
        self._upscaler = fitting_component(model, components, {"picture": 4}, {"picture_large": 4})
        self._run_factor = read_image_options(model.manifest).upscale.run_factor
        self._runs = InterruptibleRuns()

    def start(self, request: UpscalePictureRequest) -> UpscalePictureState:
        return self.start_after(request, {})

    def start_after(self, request: UpscalePictureRequest, inputs: Mapping[str, object]) -> UpscalePictureState:
        runs = runs_needed(request.factor, self._run_factor)
        return UpscalePictureState(hand_over.taken(inputs, "picture"), runs)

    def batch_key(self, state: UpscalePictureState) -> Hashable:
        return self._places.place_of(state.picture)

    def step(self, states: Sequence[UpscalePictureState]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        for numbers in self._places.in_runs([state.picture for state in states]):
            small = self._places.joined([states[number].picture for number in numbers])
            large = self._runs.run(self._upscaler, {"picture": small}, ["picture_large"])[0]
            # Outputs stay side by side, to be taken together; states are not to keep each other's memory.
            end_together = all(states[number].done + 1 == states[number].runs for number in numbers)
            rows = [*large] if end_together else self._places.apart(large)
            outcomes |= {number: _outcome(states[number], row) for number, row in zip(numbers, rows, strict=True)}
        return [outcomes[number] for number in range(len(states))]

    def interrupt(self) -> None:
        self._runs.interrupt()

    def clear_interrupt(self) -> None:
        self._runs.clear()

    def state_bytes(self, state: UpscalePictureState) -> int:
        """The picture that it was given is its giver's."""
        return state.picture.nbytes if state.done > 0 else 0


def _outcome(state: UpscalePictureState, picture: "Array") -> Outcome:
    done = state.done + 1
    progress = Progress(done, state.runs, "steps")
    if done == state.runs:
        return Done(DecodedPicture(Tensor("float32", picture.shape, picture)), progress)
    return Advanced(UpscalePictureState(picture, state.runs, done), progress)
