"""Draws icons once: premultiplied RGBA at 128x128, kept in one file that every stage maps."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

from training.pictures.icons import PACKAGES, read_icons

# Pictures are learnt at 64 pixels; the upscaler needs them twice as large.
SIDE = 128
# Drawn twice as fine and averaged, on top of the renderer's own smoothing.
OVERSAMPLING = 2
PICTURES_FILE = "pictures.rgba"
INDEX_FILE = "pictures.json"

# Skin tones, flags and clock times are left out, and signs that are letters or numbers rather than things.
LEFT_OUT = re.compile(
    r"(?<!traffic)(?<!car)-(light|medium|dark)$|skin-tone|^flag|-flag$|keycap|button|^input-|oclock|-thirty$|family|regional-indicator"
)

Report = Callable[[int, int], None]


def draw_icons(folder: Path, report: Report) -> None:
    """Writes `pictures.rgba` (uint8 [picture, 128, 128, 4], premultiplied) and its index into `folder`."""
    wanted = [
        (package.style, name, svg)
        for package in PACKAGES
        for name, svg in sorted(read_icons(package, folder / "sources").items())
        if not LEFT_OUT.search(name)
    ]
    partial = folder / f"{PICTURES_FILE}.partial"
    with partial.open("wb") as file:
        for done, (_, _, svg) in enumerate(wanted):
            file.write(draw_icon(svg).tobytes())
            report(done + 1, len(wanted))
    partial.rename(folder / PICTURES_FILE)
    index = [{"style": style, "name": name} for style, name, _ in wanted]
    (folder / INDEX_FILE).write_text(json.dumps(index))


def draw_icon(svg: str) -> np.ndarray:
    """One icon as premultiplied uint8 [128, 128, 4], centred in its square."""
    side = SIDE * OVERSAMPLING
    fine = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side)))).convert("RGBA")
    square = Image.new("RGBA", (side, side))
    square.paste(fine, ((side - fine.width) // 2, (side - fine.height) // 2))
    pixels = np.asarray(square, dtype=np.float32)
    pixels[..., :3] *= pixels[..., 3:] / 255
    averaged = pixels.reshape(SIDE, OVERSAMPLING, SIDE, OVERSAMPLING, 4).mean((1, 3))
    return np.round(averaged).astype(np.uint8)
