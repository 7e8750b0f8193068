"""Pictures, laid out as a graph takes them."""

from collections.abc import Sequence
from io import BytesIO
from math import ceil

import numpy as np
from PIL import Image

from hearth_worker.engines.onnx_values import Array
from hearth_worker.failures import LoadFailed
from hearth_worker.programs.classifier_options import ImageOptions
from hearth_worker.protocol.reports import TensorPort

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}
CHANNELS = 3
# A picture is scaled to at most so many times the width and height that are wanted, and cut off beyond before.
COVER_FACTOR_MAX = 4


def as_input(image: Image.Image, options: ImageOptions) -> Array:
    """One picture as float32, in the graph's layout, without the axis of the batch."""
    image = _fitted(image, options)
    if options.crop is not None:
        image = _middle(image, options.crop.width, options.crop.height)
    if options.jpeg_round_trip:
        image = _through_jpeg(image)
    values: Array = np.asarray(image, dtype=np.float32)
    if options.channels == "BGR":
        values = values[:, :, ::-1]
    if options.scale != 1.0:
        values = values * np.float32(options.scale)
    values = values - np.array(options.mean, np.float32)
    if options.std != (1.0, 1.0, 1.0):
        values = values / np.array(options.std, np.float32)
    if options.layout == "NCHW":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values, dtype=np.float32)


def as_batch(arrays: Sequence[Array], dtype: str) -> Array:
    """With the axis of the batch, in the graph's own type."""
    return np.stack(arrays).astype(dtype, copy=False)


def check_input(ports: Sequence[TensorPort], options: ImageOptions) -> None:
    """Raises LoadFailed where the graph does not take what the options make."""
    height, width = (options.crop.height, options.crop.width) if options.crop else (options.height, options.width)
    made = [CHANNELS, height, width] if options.layout == "NCHW" else [height, width, CHANNELS]
    taken = ports[0].shape if len(ports) == 1 else []
    fits = len(taken) == 1 + len(made) and all(
        not isinstance(length, int) or length == wanted for length, wanted in zip(taken[1:], made, strict=True)
    )
    if not fits:
        shapes = "; ".join(f"{port.name} {port.shape}" for port in ports)
        raise LoadFailed(f"`options.image` makes pictures of shape {made}; the graph takes {shapes}.")
    if options.crop and (options.crop.width > options.width or options.crop.height > options.height):
        raise LoadFailed("`options.image.crop` may not be larger than width and height.")


def _fitted(image: Image.Image, options: ImageOptions) -> Image.Image:
    size = (options.width, options.height)
    if options.fit == "stretch":
        return image.resize(size, resample=FILTERS[options.resize])
    factor = max(options.width / image.width, options.height / image.height)
    # Of a picture that is far longer than wide the whole, scaled, might take gigabytes; only its middle is seen.
    width, height = (ceil(length * COVER_FACTOR_MAX / factor) for length in size)
    image = _middle(image, min(image.width, width), min(image.height, height))
    scaled = (max(round(image.width * factor), options.width), max(round(image.height * factor), options.height))
    return _middle(image.resize(scaled, resample=FILTERS[options.resize]), *size)


def _middle(image: Image.Image, width: int, height: int) -> Image.Image:
    if image.size == (width, height):
        return image
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _through_jpeg(image: Image.Image) -> Image.Image:
    with BytesIO() as buffer:
        image.save(buffer, format="JPEG")
        buffer.seek(0)
        with Image.open(buffer, formats=("JPEG",)) as again:
            again.load()
            return again
