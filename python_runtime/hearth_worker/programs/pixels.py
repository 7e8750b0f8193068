"""Pictures as graphs have them, float32 [3, height, width] of -1 to 1, and as files do, uint8 [height, width, 3]."""

import numpy as np
from PIL import Image

from hearth_worker.engines.onnx_values import Array

# Of each channel: -1 is 0, 1 is 255.
HALF_RANGE = 127.5


def to_pixels(picture: Array) -> Array:
    """Rounded to the nearest of 256 steps. What lies outside is cut off, what is no number becomes anything."""
    scaled = np.rint((picture.transpose(1, 2, 0) + np.float32(1)) * np.float32(HALF_RANGE))
    return np.ascontiguousarray(scaled.clip(0, 255).astype(np.uint8))


def from_pixels(pixels: Array) -> Array:
    """As a batch of one."""
    scaled = pixels.astype(np.float32) / np.float32(HALF_RANGE) - np.float32(1)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def resized(pixels: Array, width: int, height: int) -> Array:
    """Bicubic; itself where the size is right already."""
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))
