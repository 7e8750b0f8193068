"""What a manifest says of a classifier: how it wants pictures, what its scores mean, and its limits."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, ValidationError, convert

from hearth_worker.engines.manifest import ComponentFiles, Manifest
from hearth_worker.failures import LoadFailed
from hearth_worker.protocol.numbers import PositiveCount

Side = Annotated[int, Meta(ge=1, le=8192)]


class CropOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Cut out of the middle, in pixels."""

    width: Side
    height: Side


class ImageOptions(Struct, rename="camel", frozen=True, forbid_unknown_fields=True):
    """`options.image` of a manifest: from a picture to the graph's input, in this order of steps.

    The picture is made `width` x `height` (`stretch`), or as small as it still covers that, and cut to it from the
    middle (`cover`); cropped; sent through JPEG once, where a model was measured so; its channels ordered; and each
    value v of 0 to 255 becomes (v * scale - mean) / std, where mean and std are in the order of `channels`.
    """

    width: Side
    height: Side
    fit: Literal["stretch", "cover"] = "stretch"
    resize: Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"] = "bilinear"
    crop: CropOptions | None = None
    jpeg_round_trip: bool = False
    channels: Literal["RGB", "BGR"] = "RGB"
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    scale: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if 0.0 in self.std:
            raise ValueError("image.std may not be 0")


class ClassifierOptions(Struct, frozen=True):
    """`options` of a manifest. Without `labels` they are the lines of the component's file of role `labels`."""

    image: ImageOptions
    labels: list[str] | None = None
    # What the graph gives is made a score by this; `none`: it gives scores.
    scores: Literal["softmax", "sigmoid", "none"] = "none"


class ClassifierLimits(Struct, rename="camel", frozen=True):
    """Pictures of one run; pixels of one picture, told by its header before it is decoded."""

    batch_limit: PositiveCount = 1
    max_image_pixels: PositiveCount = 100_000_000


def read_options(manifest: Manifest) -> ClassifierOptions:
    """Raises LoadFailed."""
    try:
        return convert(manifest.options, ClassifierOptions)
    except ValidationError as error:
        raise LoadFailed(f"The options of classifier {manifest.name!r} cannot be read: {error}.") from error


def read_limits(manifest: Manifest) -> ClassifierLimits:
    """Raises LoadFailed."""
    try:
        return convert(manifest.limits, ClassifierLimits)
    except ValidationError as error:
        raise LoadFailed(f"The limits of classifier {manifest.name!r} cannot be read: {error}.") from error


def read_labels(files: ComponentFiles, options: ClassifierOptions) -> list[str]:
    """Raises LoadFailed where there are none."""
    if options.labels is not None:
        return options.labels
    path = files.optional_path("labels")
    if path is None:
        raise LoadFailed("A classifier needs its labels: `options.labels`, or a file of role `labels` with one a line.")
    return path.read_text(encoding="utf-8").splitlines()
