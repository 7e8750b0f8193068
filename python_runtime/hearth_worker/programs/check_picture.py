"""How unsafe a picture is; whether that is too much decides who made the policy."""

from collections.abc import Hashable, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from hearth_worker.failures import LoadFailed
from hearth_worker.programs import hand_over
from hearth_worker.programs.image_model_options import read_image_options
from hearth_worker.programs.interruptible_runs import InterruptibleRuns
from hearth_worker.programs.outcomes import Done, Failed
from hearth_worker.programs.program import Program, Promise

if TYPE_CHECKING:
    from hearth_worker.engines.onnx import OnnxModel
    from hearth_worker.engines.onnx_values import Array


class CheckPictureRequest(Struct, frozen=True):
    """No parameters."""


class CheckPictureState(Struct, frozen=True):
    """float32 [3, height, width] of -1 to 1."""

    picture: "Array"


class SafetyScore(Struct, rename="camel", frozen=True):
    """0 (safe) to 1, and the model that says so."""

    score: float
    checked_by: str


class CheckPicture(Program[CheckPictureRequest, CheckPictureState, SafetyScore]):
    """For the classifier that `options.safety` of the manifest describes. Follows a task that gives `picture`."""

    promise: ClassVar[Promise] = "tolerance"
    engine: ClassVar[str | None] = "onnx"
    request_type: ClassVar[type] = CheckPictureRequest
    interruptible: ClassVar[bool] = True

    def __init__(self, model: "OnnxModel", components: Sequence[str]) -> None:
        """Raises LoadFailed where manifest or graph are others."""
        # Here, not above: workers of other engines read this file too, and need neither numpy nor Pillow.
        from hearth_worker.programs import pixels
        from hearth_worker.programs.graph_ports import first_component
        from hearth_worker.programs.safety_checker import SafetyChecker

        options = read_image_options(model.manifest).safety
        if options is None:
            raise LoadFailed(f"Model {model.manifest.name!r} has no `options.safety`: nobody knows how it is checked.")
        component = first_component(model, components)
        self._checked_by = options.checked_by or components[0]
        self._pixels = pixels
        self._runs = InterruptibleRuns()
        self._checker = SafetyChecker(component, options, self._runs)

    def start(self, request: CheckPictureRequest) -> CheckPictureState:
        return self.start_after(request, {})

    def start_after(self, request: CheckPictureRequest, inputs: Mapping[str, object]) -> CheckPictureState:  # noqa: ARG002
        return CheckPictureState(hand_over.taken(inputs, "picture"))

    def batch_key(self, state: CheckPictureState) -> Hashable:  # noqa: ARG002
        return None

    def step(self, states: Sequence[CheckPictureState]) -> list[Done[SafetyScore] | Failed]:
        scores = self._checker.scores([self._pixels.to_pixels(state.picture) for state in states])
        return [self._outcome(score) for score in scores]

    def interrupt(self) -> None:
        self._runs.interrupt()

    def clear_interrupt(self) -> None:
        self._runs.clear()

    def _outcome(self, score: float) -> Done[SafetyScore] | Failed:
        if not isfinite(score):
            return Failed("engine_error", "The safety checker gave a score that is no number for this picture.")
        return Done(SafetyScore(score, self._checked_by))
