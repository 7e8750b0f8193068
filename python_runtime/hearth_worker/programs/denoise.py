"""From noise and a prompt to the latents of a picture, step by step. Pictures of any jobs share UNet calls."""

from collections.abc import Hashable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from hearth_worker.failures import InvalidRequest
from hearth_worker.programs import hand_over
from hearth_worker.programs.denoise_state import DenoisedLatents, DenoiseRequest, DenoiseState
from hearth_worker.programs.image_model_options import read_image_options
from hearth_worker.programs.interruptible_runs import InterruptibleRuns
from hearth_worker.programs.outcomes import Advanced, Done, Preview, Progress
from hearth_worker.programs.preview_budget import MeasuredMs
from hearth_worker.programs.program import Program, Promise
from hearth_worker.protocol.tensors import Tensor

if TYPE_CHECKING:
    from hearth_worker.engines.onnx import OnnxModel
    from hearth_worker.engines.onnx_values import Array
    from hearth_worker.programs.flow_step import Move
    from hearth_worker.programs.picture_previews import MadePreview

Outcome = Advanced[DenoiseState] | Done[DenoisedLatents]


class Denoise(Program[DenoiseRequest, DenoiseState, DenoisedLatents]):
    """For a UNet that takes latents, a time for each row and context. Follows a task that gives `context`.

    The other components are optional: `preview_decoder` makes previews, `safety_checker` checks them. The promise holds
    where UNet and text encoder give a row the same bytes alone and in company. ONNX Runtime's matrix products do so
    with prepacked weights (option `prepack`); without, they choose their order of sums by the number of rows and
    threads.
    """

    promise: ClassVar[Promise] = "bitwise"
    engine: ClassVar[str | None] = "onnx"
    request_type: ClassVar[type] = DenoiseRequest
    interruptible: ClassVar[bool] = True

    def __init__(self, model: "OnnxModel", components: Sequence[str]) -> None:
        """Raises LoadFailed where manifest or graphs are others."""
        # Here, not above: workers of other engines read this file too, and need neither numpy nor Pillow.
        from hearth_worker.programs import flow_step, noise, saved_latents, side_by_side
        from hearth_worker.programs.graph_ports import fitting_component
        from hearth_worker.programs.picture_previews import find_previews

        self._flow = flow_step
        self._apart = side_by_side.apart
        self._noise = noise
        self._saved = saved_latents
        self._options = read_image_options(model.manifest)
        inputs = {"latents": 4, "times": 1, "context": 3}
        self._unet = fitting_component(model, components, inputs, {"velocity": 4})
        self._runs = InterruptibleRuns()
        self._previews = find_previews(model, components, self._options.safety, self._runs)
        self._row_ms = MeasuredMs()

    def start(self, request: DenoiseRequest) -> DenoiseState:
        return self.start_after(request, {})

    def start_after(self, request: DenoiseRequest, inputs: Mapping[str, object]) -> DenoiseState:
        shape = self._latent_shape(request)
        context = hand_over.taken(inputs, "context")
        return DenoiseState(request, context[0], context[1], self._noise.noise_of(request.seed, shape))

    def restore_after(self, request: DenoiseRequest, inputs: Mapping[str, object], saved: bytes) -> DenoiseState:
        """Raises BrokenCheckpoint where it cannot be read, or is not this picture's."""
        state = self.start_after(request, inputs)
        found = self._saved.unpack(saved)
        same = (found.seed, found.steps, found.latents.shape) == (request.seed, request.steps, state.latents.shape)
        if not same or found.step >= request.steps:
            raise self._saved.BrokenCheckpoint("The checkpoint is of another picture.")
        return replace(state, latents=found.latents, step=found.step, previews=found.previews)

    def save(self, state: DenoiseState) -> bytes:
        fields = (state.latents, state.step, state.steps, state.request.seed, state.previews)
        return self._saved.pack(self._saved.SavedLatents(*fields))

    def batch_key(self, state: DenoiseState) -> Hashable:
        return state.latents.shape

    def step(self, states: Sequence[DenoiseState]) -> list[Outcome]:
        begun_at = perf_counter()
        move = self._flow.move(states, lambda inputs: self._runs.run(self._unet, inputs, ["velocity"])[0])
        self._row_ms.add((perf_counter() - begun_at) * 1000 / self._flow.rows_of(states))
        previews = self._make_previews(states, move)
        # Rows that end together stay side by side, to be decoded together; others are not to keep each other's memory.
        end_together = all(state.step + 1 == state.steps for state in states)
        rows = [*move.latents] if end_together else self._apart(move.latents)
        return [_outcome(state, rows[number], previews.get(number)) for number, state in enumerate(states)]

    def interrupt(self) -> None:
        self._runs.interrupt()

    def clear_interrupt(self) -> None:
        self._runs.clear()

    def expected_step_ms(self, states: Sequence[DenoiseState]) -> float | None:
        """Of all rows, and of the previews that are due."""
        if self._row_ms.value is None:
            return None
        previews_ms = sum(self._previews.cost_ms for state in states if self._is_due(state)) if self._previews else 0.0
        return self._flow.rows_of(states) * self._row_ms.value + previews_ms

    def state_bytes(self, state: DenoiseState) -> int:
        return state.latents.nbytes

    def _make_previews(self, states: Sequence[DenoiseState], move: "Move") -> "dict[int, MadePreview]":
        """By the numbers of their states."""
        if self._previews is None:
            return {}
        due = [number for number, state in enumerate(states) if self._is_due(state)]
        return {number: self._previews.make(move.heading[number], states[number]) for number in due}

    def _is_due(self, state: DenoiseState) -> bool:
        """Of a preview after its next step."""
        step_ms = (self._row_ms.value or 0.0) * self._flow.rows_of([state])
        return self._previews is not None and self._previews.is_due(state, step_ms)

    def _latent_shape(self, request: DenoiseRequest) -> tuple[int, int, int]:
        """Raises InvalidRequest for a size that the UNet does not take."""
        scale = self._options.latents.scale
        shape = (self._options.latents.channels, request.height // scale, request.width // scale)
        taken = next(port.shape[1:] for port in self._unet.inputs if port.name == "latents")
        fits = all(not isinstance(length, int) or length == made for length, made in zip(taken, shape, strict=True))
        if not fits or request.width % scale or request.height % scale:
            raise InvalidRequest(f"The model makes no pictures of {request.width} x {request.height} pixels.")
        return shape


def _outcome(state: DenoiseState, latents: "Array", made: "MadePreview | None") -> Outcome:
    step = state.step + 1
    progress = Progress(step, state.steps, "steps")
    if step == state.steps:
        return Done(DenoisedLatents(Tensor("float32", latents.shape, latents)), progress)
    if made is None:
        return Advanced(replace(state, latents=latents, step=step), progress)
    preview = None if made.data is None else Preview(step, made.mime_type, made.data)
    return Advanced(replace(state, latents=latents, step=step, previews=made.previews), progress, preview=preview)
