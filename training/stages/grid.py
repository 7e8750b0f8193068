"""Pictures side by side in one PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor


def write_grid(pictures: Tensor, path: Path, columns: int) -> None:
    """Writes pictures [count, 3, height, width] in -1 to 1, row by row; the last row is filled with white."""
    count, _, height, width = pictures.shape
    rows = -(-count // columns)
    sheet = np.full((rows * height, columns * width, 3), 255, np.uint8)
    pixels = ((pictures.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    for number, picture in enumerate(pixels):
        top, left = number // columns * height, number % columns * width
        sheet[top : top + height, left : left + width] = picture
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path)
