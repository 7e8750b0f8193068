"""Latents of every object in every style, each several times: a little moved, on random backgrounds, never on the one
that is held out. Kept in one file, so that the denoiser never waits for pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from training.device import choose_device, half_precision
from training.learning.checkpoint import read_average
from training.learning.loop import checkpoint_path
from training.learning.progress import say
from training.networks.autoencoder import Encoder
from training.pictures.album import open_album
from training.pictures.compose import NARROW, show_rows
from training.pictures.icons import STYLES
from training.settings import Settings
from training.stages.names import AUTOENCODER, LATENTS_FILE
from training.vocabulary.colours import COLOUR_NAMES
from training.vocabulary.split import is_held_out

BATCH = 64


@dataclass(frozen=True)
class Latents:
    """`latents` has zero mean and unit variance in each channel; `mean` and `deviation` [1, 4, 1, 1] undo that."""

    latents: Tensor
    things: Tensor
    styles: Tensor
    colours: Tensor
    mean: Tensor
    deviation: Tensor


def make_latents(settings: Settings) -> None:
    """Writes `latents.safetensors`, once: what the denoiser learnt holds only for these."""
    path = settings.path(LATENTS_FILE)
    if path.exists():
        return
    device = choose_device()
    album = open_album(settings.folder)
    encoder = load_encoder(settings).to(device, memory_format=torch.channels_last)
    random = torch.Generator().manual_seed(settings.seed)
    scenes = all_scenes(len(album.objects), settings.variants, random)
    latents = []
    for start in range(0, len(scenes), BATCH):
        things, styles, colours = scenes[start : start + BATCH].T
        pictures = show_rows(album, album.objects[things.numpy(), styles.numpy()], colours, NARROW, random)
        with torch.no_grad(), half_precision(device):
            mean, _ = encoder(pictures.to(device, memory_format=torch.channels_last))
        latents.append(mean.half().cpu())
        if start // BATCH % 50 == 0:
            say(f"latents: {start} of {len(scenes)}")
    stored = torch.cat(latents).contiguous()
    tensors = {
        "latents": stored,
        "scenes": scenes.to(torch.int16).contiguous(),
        "mean": stored.float().mean((0, 2, 3), keepdim=True),
        "deviation": stored.float().std((0, 2, 3), keepdim=True),
    }
    partial = path.with_suffix(".partial")
    save_file(tensors, partial)
    partial.replace(path)


def read_latents(settings: Settings) -> Latents:
    tensors = load_file(settings.path(LATENTS_FILE))
    things, styles, colours = tensors["scenes"].long().T
    mean, deviation = tensors["mean"], tensors["deviation"]
    return Latents((tensors["latents"].float() - mean) / deviation, things, styles, colours, mean, deviation)


def load_encoder(settings: Settings) -> Encoder:
    encoder = Encoder()
    weights = read_average(checkpoint_path(settings, AUTOENCODER))
    encoder.load_state_dict({k.removeprefix("encoder."): v for k, v in weights.items() if k.startswith("encoder.")})
    return encoder.eval()


def all_scenes(things: int, variants: int, random: torch.Generator) -> Tensor:
    """[scenes, 3]: every object and style `variants` times, backgrounds in turn, in random order."""
    shown = [
        (thing, style, allowed[variant % len(allowed)])
        for thing in range(things)
        for allowed in [[c for c in range(len(COLOUR_NAMES)) if not is_held_out(thing, c)]]
        for style in range(len(STYLES))
        for variant in range(variants)
    ]
    scenes = torch.from_numpy(np.array(shown))
    return scenes[torch.randperm(len(scenes), generator=random)]
