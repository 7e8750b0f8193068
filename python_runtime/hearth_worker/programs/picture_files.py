"""Pictures from anybody: decoded within bounds and turned upright. For programs of third parties too."""

import warnings
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from hearth_worker.failures import InvalidRequest, words_of

# Those that a browser shows. Pillow knows many more, some of which start other programs.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
PIXELS_MAX = 100_000_000


def decode(data: bytes, pixels_max: int = PIXELS_MAX) -> Image.Image:
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
        # Here, not above: programs that need no numbers read this file too.
        import numpy as np

        # Sixteen bits a pixel; Pillow would cut off what is above eight.
        values = np.asarray(image).astype(np.uint32) >> 8
        return Image.fromarray(np.minimum(values, 255).astype(np.uint8)).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
