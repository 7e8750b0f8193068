"""The drawn pictures, mapped, with the numbers by which training finds them."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.pictures.draw import INDEX_FILE, PICTURES_FILE, SIDE
from training.pictures.icons import STYLES
from training.vocabulary.objects import read_objects
from training.vocabulary.split import UNSEEN_ICON_EVERY


@dataclass(frozen=True)
class Album:
    """Premultiplied uint8 pictures in both sizes; the rest are row numbers into them."""

    pixels: dict[int, np.ndarray]
    """By side: [picture, 128, 128, 4], mapped, and [picture, 64, 64, 4], in memory."""
    objects: np.ndarray
    """[object, style]: the picture of each object in each style."""
    seen: np.ndarray
    """Every picture that autoencoder and upscaler may learn from; the objects' own among them."""
    unseen: np.ndarray
    """Pictures kept for their evaluation: icons of no object, in both styles."""


def open_album(folder: Path) -> Album:
    """Maps what `draw_icons` wrote into `folder`."""
    index = json.loads((folder / INDEX_FILE).read_text())
    large = np.memmap(folder / PICTURES_FILE, np.uint8, mode="r").reshape(len(index), SIDE, SIDE, 4)
    pixels = {SIDE: large, SIDE // 2: halve(large)}
    row = {(entry["style"], entry["name"]): number for number, entry in enumerate(index)}
    objects = np.array([[row[style, thing.icon] for style in STYLES] for thing in read_objects()])
    icons_of_objects = {thing.icon for thing in read_objects()}
    unseen = np.array([is_unseen(entry["name"], icons_of_objects) for entry in index])
    return Album(pixels, objects, seen=np.flatnonzero(~unseen), unseen=np.flatnonzero(unseen))


def halve(large: np.ndarray) -> np.ndarray:
    """Each pixel the rounded mean of four."""
    sums = np.full((len(large), large.shape[1] // 2, large.shape[2] // 2, 4), 2, np.uint16)
    for row in (0, 1):
        for column in (0, 1):
            sums += large[:, row::2, column::2]
    return (sums >> 2).astype(np.uint8)


def is_unseen(name: str, icons_of_objects: set[str]) -> bool:
    return name not in icons_of_objects and zlib.crc32(name.encode()) % UNSEEN_ICON_EVERY == 0
