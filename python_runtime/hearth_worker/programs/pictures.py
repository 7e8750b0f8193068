"""Pictures from anybody: decoded within bounds, turned upright, and laid out as a graph takes them."""

import warnings
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from hearth_worker.engines.onnx_values import Array
from hearth_worker.failures import InvalidRequest, LoadFailed, words_of
from hearth_worker.protocol.reports import TensorPort

if TYPE_CHECKING:
    from hearth_worker.programs.classify_image import ImageOptions

# Those that a browser shows. Pillow knows many more, some of which start other programs.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}
CHANNELS = 3


def decode(data: bytes, pixels_max: int) -> Image.Image:
    """The picture in RGB, of an animation the first frame, turned as its EXIF orientation says; transparency is
    dropped. Raises InvalidRequest for what is no picture, is broken or cut off, or has too many pixels."""
    try:
        with warnings.catch_warnings():
            # Frames may be larger than the header says; Pillow looks at each.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            Image.MAX_IMAGE_PIXELS = pixels_max
            with Image.open(BytesIO(data), formats=FORMATS) as image:
                _check_pixels(image, pixels_max)
                image.load()
                return _in_rgb(ImageOps.exif_transpose(image))
    except InvalidRequest:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidRequest(f"The picture has more than {pixels_max} pixels. Send a smaller one.") from error
    except UnidentifiedImageError as error:
        raise InvalidRequest(f"This is no picture that can be read. Send one of: {', '.join(FORMATS)}.") from error
    except MemoryError:
        raise
    except Exception as error:  # Decoders raise anything over bytes that somebody made up.
        words = words_of(error)[:200]
        raise InvalidRequest(f"The picture is broken or cut off ({words}). Save it again and repeat.") from error


def _check_pixels(image: Image.Image, pixels_max: int) -> None:
    if image.width * image.height > pixels_max:
        raise InvalidRequest(
            f"The picture has {image.width} x {image.height} pixels; at most {pixels_max} are possible."
        )


def _in_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # Sixteen bits a pixel; Pillow would cut off what is above eight.
        values = np.asarray(image).astype(np.uint32) >> 8
        return Image.fromarray(np.minimum(values, 255).astype(np.uint8)).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def as_input(image: Image.Image, options: "ImageOptions") -> Array:
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


def check_input(ports: Sequence[TensorPort], options: "ImageOptions") -> None:
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


def _fitted(image: Image.Image, options: "ImageOptions") -> Image.Image:
    size = (options.width, options.height)
    if options.fit == "stretch":
        return image.resize(size, resample=FILTERS[options.resize])
    factor = max(options.width / image.width, options.height / image.height)
    scaled = (max(round(image.width * factor), options.width), max(round(image.height * factor), options.height))
    return _middle(image.resize(scaled, resample=FILTERS[options.resize]), *size)


def _middle(image: Image.Image, width: int, height: int) -> Image.Image:
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _through_jpeg(image: Image.Image) -> Image.Image:
    with BytesIO() as buffer:
        image.save(buffer, format="JPEG")
        buffer.seek(0)
        with Image.open(buffer, formats=("JPEG",)) as again:
            again.load()
            return again
