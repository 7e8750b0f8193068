"""From latents to a picture. Those that were denoised in one step lie side by side, and are decoded in one run."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from hearth_worker.programs import hand_over
from hearth_worker.programs.interruptible_runs import InterruptibleRuns
from hearth_worker.programs.outcomes import Done, Failed
from hearth_worker.programs.program import Program, Promise
from hearth_worker.protocol.tensors import Tensor

if TYPE_CHECKING:
    from hearth_worker.engines.onnx import OnnxModel
    from hearth_worker.engines.onnx_values import Array


class DecodeLatentsRequest(Struct, frozen=True):
    """No parameters."""


class DecodeLatentsState(Struct, frozen=True):
    """float32 [channels, height, width]."""

    latents: "Array"


class DecodedPicture(Struct, frozen=True):
    """float32 [3, height, width] of -1 to 1."""

    picture: Tensor


class DecodeLatents(Program[DecodeLatentsRequest, DecodeLatentsState, DecodedPicture]):
    """For the decoder of an autoencoder: `latents` to `picture`. Follows a task that gives `latents`.

    Only what lies side by side shares a run: nothing is copied, and on a CPU others would gain nothing by it, for a run
    lasts as long as its rows one after the other.
    """

    promise: ClassVar[Promise] = "bitwise"
    engine: ClassVar[str | None] = "onnx"
    request_type: ClassVar[type] = DecodeLatentsRequest
    interruptible: ClassVar[bool] = True

    def __init__(self, model: "OnnxModel", components: Sequence[str]) -> None:
        """Raises LoadFailed where the graph is another."""
        # Here, not above: workers of other engines read this file too, and need no numpy.
        import numpy as np

        from hearth_worker.programs import side_by_side
        from hearth_worker.programs.graph_ports import fitting_component

        self._numpy = np
        self._places = side_by_side
        self._decoder = fitting_component(model, components, {"latents": 4}, {"picture": 4})
        self._runs = InterruptibleRuns()

    def start(self, request: DecodeLatentsRequest) -> DecodeLatentsState:
        return self.start_after(request, {})

    def start_after(self, request: DecodeLatentsRequest, inputs: Mapping[str, object]) -> DecodeLatentsState:  # noqa: ARG002
        return DecodeLatentsState(hand_over.taken(inputs, "latents"))

    def batch_key(self, state: DecodeLatentsState) -> Hashable:
        return self._places.place_of(state.latents)

    def step(self, states: Sequence[DecodeLatentsState]) -> list[Done[DecodedPicture] | Failed]:
        outcomes: dict[int, Done[DecodedPicture] | Failed] = {}
        for numbers in self._places.in_runs([state.latents for state in states]):
            latents = self._places.joined([states[number].latents for number in numbers])
            pictures = self._runs.run(self._decoder, {"latents": latents}, ["picture"])[0]
            outcomes |= {number: self._outcome(picture) for number, picture in zip(numbers, pictures, strict=True)}
        return [outcomes[number] for number in range(len(states))]

    def interrupt(self) -> None:
        self._runs.interrupt()

    def clear_interrupt(self) -> None:
        self._runs.clear()

    def _outcome(self, picture: "Array") -> Done[DecodedPicture] | Failed:
        if not self._numpy.isfinite(picture).all():
            return Failed("engine_error", "The model gave a picture that is no numbers. Try other steps or guidance.")
        return Done(DecodedPicture(Tensor("float32", picture.shape, picture)))
