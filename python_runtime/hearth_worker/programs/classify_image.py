"""Labels for a picture, by any classifier whose manifest says how it wants pictures. Several pictures share a run."""

import logging
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from hearth_worker.failures import ArtifactMissing, InvalidRequest
from hearth_worker.programs.classifier_options import read_labels, read_limits, read_options
from hearth_worker.programs.files import InputFile
from hearth_worker.programs.image_reference import ImageReference, InlineImage
from hearth_worker.programs.outcomes import Done, Failed
from hearth_worker.programs.program import Program, Promise
from hearth_worker.protocol.numbers import PositiveCount

if TYPE_CHECKING:
    from hearth_worker.engines.onnx import OnnxModel
    from hearth_worker.engines.onnx_values import Array

logger = logging.getLogger(__name__)


class ClassifyRequest(Struct, rename="camel", frozen=True):
    """The `top_k` best labels."""

    image: ImageReference
    top_k: PositiveCount = 5


class ClassifyState(Struct, frozen=True):
    """Nothing is computed before its step."""

    image: InlineImage | InputFile
    top_k: int


class ScoredLabel(Struct, frozen=True):
    """A label, and how well it fits."""

    label: str
    score: float


class ClassifyOutput(Struct, frozen=True):
    """Best first."""

    labels: list[ScoredLabel]


Outcome = Done[ClassifyOutput] | Failed


class ClassifyImage(Program[ClassifyRequest, ClassifyState, ClassifyOutput]):
    """For graphs that take pictures and give a row of scores for each."""

    promise: ClassVar[Promise] = "tolerance"
    engine: ClassVar[str | None] = "onnx"
    request_type: ClassVar[type] = ClassifyRequest

    def __init__(self, model: "OnnxModel", components: Sequence[str]) -> None:
        """Raises LoadFailed if manifest or graph are not those of a classifier."""
        # Here, not above: workers of other engines read this file too, and need neither numpy nor Pillow.
        from hearth_worker.programs import picture_files, pictures, probe_rows, scores

        self._component = model.components[components[0]]
        self._options = read_options(model.manifest)
        self._limits = read_limits(model.manifest)
        self._labels = read_labels(self._component.files, self._options)
        self._decode = picture_files.decode
        self._pictures = pictures
        self._scores = scores
        pictures.check_input(self._component.inputs, self._options.image)
        scores.check_output(self._component.outputs, len(self._labels))
        alone = None if self._limits.batch_limit > 1 else "its batchLimit is 1"
        reason = alone or probe_rows.why_rows_stay_apart(self._component)
        self._joins = reason is None
        if reason:
            logger.info("Pictures for %s run one by one: %s.", model.manifest.name, reason)

    def start(self, request: ClassifyRequest) -> ClassifyState:
        return ClassifyState(request.image.source(), request.top_k)

    def batch_key(self, state: ClassifyState) -> Hashable:
        return None if self._joins else id(state)

    def step(self, states: Sequence[ClassifyState]) -> list[Outcome]:
        """A picture that cannot be read fails alone, before the others run."""
        inputs = [self._input(state) for state in states]
        arrays = [each for each in inputs if not isinstance(each, Failed)]
        rows = iter(self._run(arrays))
        return [
            each if isinstance(each, Failed) else self._outcome(state, next(rows))
            for state, each in zip(states, inputs, strict=True)
        ]

    def _input(self, state: ClassifyState) -> "Array | Failed":
        try:
            picture = self._decode(state.image.read(), self._limits.max_image_pixels)
        except InvalidRequest as error:
            return Failed("invalid_request", str(error))
        except ArtifactMissing as error:
            return Failed("artifact_missing", str(error))
        return self._pictures.as_input(picture, self._options.image)

    def _run(self, arrays: "Sequence[Array]") -> "Sequence[Array]":
        if not arrays:
            return []
        port = self._component.inputs[0]
        batch = self._pictures.as_batch(arrays, port.dtype)
        first = self._component.outputs[0].name
        rows: Sequence[Array] = self._scores.as_scores(
            self._component.run({port.name: batch}, [first])[0], len(arrays), self._options.scores
        )
        return rows

    def _outcome(self, state: ClassifyState, row: "Array") -> Outcome:
        if not self._scores.are_numbers(row):
            return Failed("engine_error", "The model gave scores that are no numbers for this picture.")
        best = self._scores.best(row, state.top_k)
        return Done(ClassifyOutput([ScoredLabel(self._labels[index], float(row[index])) for index in best]))
