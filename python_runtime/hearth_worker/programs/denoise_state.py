"""A picture on its way from noise to latents: what is asked, how far it is, and what it becomes."""

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from hearth_worker.programs.preview_budget import PreviewsMade
from hearth_worker.protocol.numbers import Count, PositiveCount
from hearth_worker.protocol.tensors import Tensor

if TYPE_CHECKING:
    from hearth_worker.engines.onnx_values import Array


class PreviewRequest(Struct, rename="camel", frozen=True):
    """A preview every so many steps, at most so many pixels wide. Unsafe ones are not shown, unless nothing is
    checked."""

    every_steps: PositiveCount
    max_width: PositiveCount
    check: Literal["off", "flag", "block"] = "off"


class DenoiseRequest(Struct, rename="camel", frozen=True):
    """Picture `item` of a job; `width` and `height` in pixels. Guidance 1 goes by the prompt alone, at half the
    cost."""

    steps: PositiveCount
    guidance: float
    seed: Count
    width: PositiveCount
    height: PositiveCount
    item: Count = 0
    previews: PreviewRequest | None = None


class DenoiseState(Struct, frozen=True):
    """`latents` float32 [channels, height, width] after `step` steps; `told` and `untold` float32 [tokens, size]."""

    request: DenoiseRequest
    told: "Array"
    untold: "Array"
    latents: "Array"
    step: int = 0
    previews: PreviewsMade = PreviewsMade()

    @property
    def steps(self) -> int:
        """In all."""
        return self.request.steps

    @property
    def guidance(self) -> float:
        """Of the request."""
        return self.request.guidance


class DenoisedLatents(Struct, frozen=True):
    """float32 [channels, height, width], in the model's own units."""

    latents: Tensor
