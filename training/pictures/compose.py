"""Pictures as networks see them: moved a little, on a background, float [batch, 3, side, side] in -1 to 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name under which everybody knows it
from torch import Tensor

from training.pictures.album import Album
from training.pictures.icons import STYLES
from training.vocabulary.colours import COLOUR_NAMES, COLOURS
from training.vocabulary.split import is_held_out

PICTURE_SIDE = 64

PALETTE = torch.tensor([COLOURS[name] for name in COLOUR_NAMES], dtype=torch.float32) / 255


@dataclass(frozen=True)
class Motion:
    """How far a picture may be moved: scale between two bounds, shift as a part of the side, mirrored or not."""

    scale_min: float
    scale_max: float
    shift: float
    mirrored: bool = False


# Narrow on purpose: the fewer ways a thing can appear, the sooner a small network knows each of them.
NARROW = Motion(scale_min=0.88, scale_max=1.0, shift=0.03)
# The judge and the autoencoder must cope with more than they will meet.
WIDE = Motion(scale_min=0.78, scale_max=1.08, shift=0.1, mirrored=True)
STILL = Motion(scale_min=0.94, scale_max=0.94, shift=0.0)


@dataclass(frozen=True)
class Shown:
    """A batch of pictures and what each shows, as numbers: object, style, background colour."""

    pictures: Tensor
    things: Tensor
    styles: Tensor
    colours: Tensor


def show_objects(
    album: Album, count: int, motion: Motion, random: torch.Generator, *, side: int = PICTURE_SIDE
) -> Shown:
    """`count` random objects in random styles on random backgrounds, never a combination that is held out."""
    things = torch.randint(len(album.objects), (count,), generator=random)
    styles = torch.randint(len(STYLES), (count,), generator=random)
    colours = torch.randint(len(COLOUR_NAMES), (count,), generator=random)
    held_out = torch.tensor([is_held_out(int(t), int(c)) for t, c in zip(things, colours, strict=True)])
    colours = torch.where(held_out, (colours + 1) % len(COLOUR_NAMES), colours)
    rows = album.objects[things.numpy(), styles.numpy()]
    return Shown(show_rows(album, rows, colours, motion, random, side=side), things, styles, colours)


def show_rows(
    album: Album,
    rows: np.ndarray,
    colours: Tensor,
    motion: Motion,
    random: torch.Generator,
    *,
    side: int = PICTURE_SIDE,
) -> Tensor:
    """The pictures of these rows on these backgrounds."""
    layers = torch.from_numpy(album.pixels[side][rows]).permute(0, 3, 1, 2).float() / 255
    return on_background(move(layers, motion, random), PALETTE[colours])


def move(layers: Tensor, motion: Motion, random: torch.Generator) -> Tensor:
    """Scales and shifts premultiplied RGBA, so that edges stay clean and what comes in from outside is clear."""
    count = len(layers)
    scale = motion.scale_min + (motion.scale_max - motion.scale_min) * torch.rand(count, generator=random)
    flips = torch.rand(count, generator=random) < 0.5 if motion.mirrored else torch.zeros(count, dtype=torch.bool)
    shift = (torch.rand(count, 2, generator=random) * 2 - 1) * 2 * motion.shift
    place = torch.zeros(count, 2, 3)
    place[:, 0, 0] = torch.where(flips, -1.0, 1.0) / scale
    place[:, 1, 1] = 1 / scale
    place[:, :, 2] = shift
    grid = F.affine_grid(place, list(layers.shape), align_corners=False)
    return F.grid_sample(layers, grid, align_corners=False)


def on_background(layers: Tensor, colours: Tensor) -> Tensor:
    """Premultiplied RGBA over colours [batch, 3] in 0 to 1; the result in -1 to 1."""
    return (layers[:, :3] + colours[:, :, None, None] * (1 - layers[:, 3:])) * 2 - 1
