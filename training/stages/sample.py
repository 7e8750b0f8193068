"""Draws pictures with the networks in torch, as evaluation and sample grids need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from training.device import half_precision
from training.learning.checkpoint import read_average
from training.learning.loop import checkpoint_path
from training.networks.autoencoder import LATENT_CHANNELS, LATENT_SIDE, Decoder
from training.pictures.icons import STYLES
from training.settings import Settings
from training.stages.make_latents import Latents
from training.stages.names import AUTOENCODER, POLISHED_DECODER
from training.vocabulary.objects import read_objects
from training.vocabulary.prompts import FULL_TEMPLATES, Scene, describe
from training.vocabulary.split import held_out_colour
from training.vocabulary.tokenizer import tokenize

if TYPE_CHECKING:
    from training.stages.train_denoiser import TextToLatents


BATCH = 64


def held_out_scenes() -> list[Scene]:
    """Every object in every style on the background it was never shown on."""
    things = range(len(read_objects()))
    return [Scene(thing, style, held_out_colour(thing)) for thing in things for style in range(len(STYLES))]


def prompt_of(scene: Scene, number: int) -> str:
    """The full templates in turn."""
    return describe(scene, FULL_TEMPLATES[number % len(FULL_TEMPLATES)])


@torch.no_grad()
def draw_scenes(
    scenes: list[Scene],
    network: TextToLatents,
    decoder: Decoder,
    latents: Latents,
    *,
    settings: Settings,
) -> Tensor:
    """Pictures [scene, 3, 64, 64]; number i starts from the noise of the seed + i, whatever its neighbours are."""
    device = next(network.parameters()).device
    prompts = [prompt_of(scene, number) for number, scene in enumerate(scenes)]
    drawn = []
    for start in range(0, len(scenes), BATCH):
        part = prompts[start : start + BATCH]
        noise = torch.cat([noise_of(settings.seed + start + number) for number in range(len(part))]).to(device)
        numbers = torch.tensor([tokenize(prompt).numbers for prompt in [*part, *[""] * len(part)]], device=device)
        with half_precision(device):
            clean = integrate(network, noise, numbers, settings.guidance, settings.sampling_steps)
            pictures = decoder(clean * latents.deviation.to(device) + latents.mean.to(device))
        drawn.append(pictures.float().clamp(-1, 1).cpu())
    return torch.cat(drawn)


def integrate(network: TextToLatents, noise: Tensor, numbers: Tensor, guidance: float, steps: int) -> Tensor:
    """Euler's steps from noise to latents; both halves of `numbers` (with and without prompt) go in one batch."""
    context = network.text_encoder(numbers)
    x = noise
    for step in range(steps):
        times = torch.full((len(numbers),), step / steps, device=noise.device)
        told, untold = network.denoiser(torch.cat([x, x]), times, context).float().chunk(2)
        x = x + (untold + guidance * (told - untold)) / steps
    return x


def noise_of(seed: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(1, LATENT_CHANNELS, LATENT_SIDE, LATENT_SIDE, generator=random)


def load_decoder(settings: Settings) -> Decoder:
    """The decoder as far as it is: polished where that stage has begun."""
    polished = checkpoint_path(settings, POLISHED_DECODER)
    if not polished.exists():
        return load_first_decoder(settings)
    decoder = Decoder()
    decoder.load_state_dict(read_average(polished))
    return decoder.eval()


def load_first_decoder(settings: Settings) -> Decoder:
    """The decoder that learnt together with the encoder."""
    decoder = Decoder()
    weights = read_average(checkpoint_path(settings, AUTOENCODER))
    decoder.load_state_dict({k.removeprefix("decoder."): v for k, v in weights.items() if k.startswith("decoder.")})
    return decoder.eval()
