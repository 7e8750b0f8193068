"""What a manifest says of a model that makes pictures: its latents, its upscaler, and how pictures are checked."""

from msgspec import Struct, ValidationError, convert

from hearth_worker.engines.manifest import Manifest
from hearth_worker.failures import LoadFailed
from hearth_worker.programs.classifier_options import ClassifierOptions
from hearth_worker.protocol.numbers import Count, PositiveCount


class LatentOptions(Struct, frozen=True):
    """Channels of the latents; pixels of the picture for each of theirs, along a side."""

    channels: PositiveCount = 4
    scale: PositiveCount = 8


class UpscaleOptions(Struct, frozen=True):
    """`factors` that may be asked for; the smallest is what one run of the component does.

    `overlap`: so many pixels around a tile count for its result, which is the reach of the component's convolutions.
    """

    factors: tuple[PositiveCount, ...] = (2,)
    overlap: Count = 8

    @property
    def run_factor(self) -> int:
        """Of one run."""
        return min(factor for factor in self.factors if factor > 1)

    def __post_init__(self) -> None:
        if not any(factor > 1 for factor in self.factors):
            raise ValueError("upscale.factors needs one above 1")


class SafetyOptions(ClassifierOptions, rename="camel", frozen=True, kw_only=True):
    """Those of a classifier, and which of its labels says that a picture is unsafe, from which score on."""

    label: str
    threshold: float = 0.8
    checked_by: str = ""


class ImageModelOptions(Struct, frozen=True):
    """`options` of the manifest, as far as programs of pictures go."""

    latents: LatentOptions = LatentOptions()
    upscale: UpscaleOptions = UpscaleOptions()
    safety: SafetyOptions | None = None


def read_image_options(manifest: Manifest) -> ImageModelOptions:
    """Raises LoadFailed."""
    try:
        return convert(manifest.options, ImageModelOptions)
    except ValidationError as error:
        raise LoadFailed(f"The options of model {manifest.name!r} cannot be read: {error}.") from error
