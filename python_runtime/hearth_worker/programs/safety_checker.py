"""Whether pictures are unsafe, by a classifier that is a component of the model. None is looked at twice."""

from collections.abc import Sequence

import msgspec
import numpy as np
from PIL import Image

from hearth_worker.engines.onnx import OnnxComponent
from hearth_worker.engines.onnx_values import Array
from hearth_worker.failures import LoadFailed
from hearth_worker.programs import pictures, scores
from hearth_worker.programs.classifier_options import read_labels
from hearth_worker.programs.image_model_options import SafetyOptions
from hearth_worker.programs.interruptible_runs import InterruptibleRuns
from hearth_worker.programs.score_cache import ScoreCache, digest_of

# Of all checkers in this process: a preview's score serves the picture too, should it be the same.
known_scores = ScoreCache()


class SafetyChecker:
    """Scores pictures just as classify_image does with the same options."""

    def __init__(self, component: OnnxComponent, options: SafetyOptions, runs: InterruptibleRuns) -> None:
        """Raises LoadFailed where the options do not fit the graph."""
        self._component = component
        self._options = options
        self._runs = runs
        labels = read_labels(component.files, options)
        pictures.check_input(component.inputs, options.image)
        scores.check_output(component.outputs, len(labels))
        if options.label not in labels:
            raise LoadFailed(f"`options.safety.label` is {options.label!r}; the checker knows {', '.join(labels)}.")
        self._label = labels.index(options.label)
        self._name = _identity(component, options)

    def scores(self, shown: Sequence[Array]) -> list[float]:
        """Of each picture, uint8 [height, width, 3], that of the unsafe label; NaN where the graph gives no number.
        Raises as OnnxComponent.run does, and Interrupted."""
        keys = [digest_of(self._name, pixels) for pixels in shown]
        found = {key: score for key in keys if (score := known_scores.get(key)) is not None}
        unknown = {key: pixels for key, pixels in zip(keys, shown, strict=True) if key not in found}
        for key, score in zip(unknown, self._computed([*unknown.values()]), strict=True):
            found[key] = score
            if np.isfinite(score):
                known_scores.put(key, score)
        return [found[key] for key in keys]

    def are_unsafe(self, shown: Sequence[Array]) -> list[bool]:
        """From the threshold on; what has no number is not safe either."""
        return [not score < self._options.threshold for score in self.scores(shown)]

    def _computed(self, shown: Sequence[Array]) -> list[float]:
        if not shown:
            return []
        port, output = self._component.inputs[0], self._component.outputs[0]
        inputs = [pictures.as_input(Image.fromarray(pixels), self._options.image) for pixels in shown]
        rows = self._runs.run(self._component, {port.name: pictures.as_batch(inputs, port.dtype)}, [output.name])[0]
        return [float(row[self._label]) for row in scores.as_scores(rows, len(shown), self._options.scores)]


def _identity(component: OnnxComponent, options: SafetyOptions) -> str:
    """Equal for checkers that give the same scores; where digests are missing, nobody knows, and it is one's own."""
    digests = [file.sha256 for file in component.files.component.files]
    files = " ".join(digests) if all(digests) else f"unknown {id(component)}"
    return f"{files} {msgspec.json.encode(options).decode()} "
