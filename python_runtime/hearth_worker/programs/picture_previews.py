"""Previews of pictures that are being denoised: decoded small, checked, and encoded, all in the worker.

Files are WebP: for these pictures an eighth of PNG's size, and as quick to make.
"""

import logging
from collections.abc import Sequence
from time import perf_counter

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from hearth_worker.engines.onnx import OnnxComponent, OnnxModel
from hearth_worker.engines.onnx_values import Array
from hearth_worker.failures import Interrupted
from hearth_worker.programs.denoise_state import DenoiseRequest, DenoiseState
from hearth_worker.programs.encode_picture import encode_preview
from hearth_worker.programs.graph_ports import check_ports
from hearth_worker.programs.image_model_options import SafetyOptions
from hearth_worker.programs.interruptible_runs import InterruptibleRuns
from hearth_worker.programs.pixels import resized, to_pixels
from hearth_worker.programs.preview_budget import MeasuredMs, PreviewsMade, is_preview_due
from hearth_worker.programs.safety_checker import SafetyChecker

DECODER = "preview_decoder"
CHECKER = "safety_checker"

logger = logging.getLogger(__name__)


class MadePreview(Struct, frozen=True):
    """`data` is None for one that is not to be seen, or did not come about; `previews`: what the picture has had with
    it."""

    data: bytes | None
    previews: PreviewsMade
    mime_type: str = "image/webp"


def find_previews(
    model: OnnxModel, components: Sequence[str], safety: SafetyOptions | None, runs: InterruptibleRuns
) -> "Previews | None":
    """None for a model that has no decoder for them. Raises LoadFailed for one that is none."""
    named = {name: model.components[name] for name in components}
    if DECODER not in named:
        return None
    check_ports(named[DECODER], {"latents": 4}, {"picture": 4})
    checker = SafetyChecker(named[CHECKER], safety, runs) if CHECKER in named and safety else None
    if checker is None:
        words = "Model %r has no safety checker: where pictures are to be checked, there are no previews of them."
        logger.warning(words, model.manifest.name)
    return Previews(named[DECODER], checker, runs)


class Previews:
    """Of all pictures of a program; it measures what they cost."""

    def __init__(self, decoder: OnnxComponent, checker: SafetyChecker | None, runs: InterruptibleRuns) -> None:
        self._decoder = decoder
        self._checker = checker
        self._runs = runs
        self._measured_ms = MeasuredMs()
        # Pillow loads its encoders with the first picture, which takes as long as a step.
        encode_preview(np.zeros((1, 1, 3), np.uint8))

    @property
    def cost_ms(self) -> float:
        """Of one; 0 before the first."""
        return self._measured_ms.value or 0.0

    def is_due(self, state: DenoiseState, step_ms: float) -> bool:
        """Whether there is one after the next step of a picture whose steps last `step_ms`."""
        wanted = state.request.previews
        if wanted is None or (wanted.check != "off" and self._checker is None):
            return False
        return is_preview_due(
            state.previews, state.step + 1, state.steps, wanted.every_steps, step_ms, self._measured_ms.value
        )

    def make(self, latents: Array, state: DenoiseState) -> MadePreview:
        """Of a state's row of latents after its step, as if they were final. Whatever becomes of it, the step has its
        result: an interrupted one has cost what a whole one would, and is due again when that is paid; after one that
        failed there are no more of this picture."""
        had = state.previews
        begun_at = perf_counter()
        try:
            (picture,) = self._runs.run(self._decoder, {"latents": latents[None]}, ["picture"])[0]
            data = self._file(picture, state.request)
        except Interrupted:
            return MadePreview(None, replace(had, count=had.count + 1))
        except Exception:
            logger.warning("A picture goes on without previews: one of them failed.", exc_info=True)
            return MadePreview(None, replace(had, has_failed=True))
        self._measured_ms.add((perf_counter() - begun_at) * 1000)
        return MadePreview(data, PreviewsMade(had.count + 1, state.step + 1))

    def _file(self, picture: Array, request: DenoiseRequest) -> bytes | None:
        """None for one that is unsafe, whether the picture will be given or not: a preview has no place for a
        verdict."""
        wanted = request.previews
        assert wanted is not None, "only what was asked for is due"
        width = min(wanted.max_width, request.width)
        height = max(1, round(request.height * width / request.width))
        pixels = resized(to_pixels(picture), width, height)
        if wanted.check != "off" and self._checker and self._checker.are_unsafe([pixels])[0]:
            return None
        return encode_preview(pixels)
