"""Background colours and the words for them."""

from __future__ import annotations

# sRGB, 0 to 255. Far enough apart that the nearest one names a background without doubt.
COLOURS: dict[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "black": (20, 20, 20),
    "red": (214, 60, 60),
    "green": (80, 170, 90),
    "blue": (70, 110, 210),
    "yellow": (245, 205, 70),
    "purple": (140, 90, 190),
    "orange": (240, 145, 60),
    "pink": (245, 165, 190),
    "gray": (150, 150, 150),
    "brown": (120, 80, 50),
    "turquoise": (60, 190, 195),
}
COLOUR_NAMES = tuple(COLOURS)
