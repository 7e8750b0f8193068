"""The decoder learns on alone, from the frozen encoder's latents: pictures get sharper, latents stay."""

from __future__ import annotations

import torch
from torch import Tensor

from training.device import choose_device, half_precision
from training.learning.checkpoint import begin
from training.learning.loop import Lesson, learn
from training.learning.optimisers import adamw
from training.learning.schedule import Plan
from training.pictures.album import open_album
from training.settings import Settings
from training.stages.make_latents import load_encoder, read_latents
from training.stages.names import POLISHED_DECODER
from training.stages.sample import load_first_decoder
from training.stages.train_autoencoder import picture_loss, random_pictures

# The denoiser's latents are never exact, so the decoder learns to forgive this much noise (in deviations of latents).
# Most pictures get little of it: exact latents must stay exact pictures.
LATENT_NOISE_MAX = 0.3


def polish_decoder(settings: Settings) -> None:
    album = open_album(settings.folder)
    device = choose_device()
    deviation = read_latents(settings).deviation.to(device)
    encoder = load_encoder(settings).to(device, memory_format=torch.channels_last)
    decoder = load_first_decoder(settings).to(device, memory_format=torch.channels_last)
    plan = Plan(steps=settings.decoder_steps, rate=1e-3, fall=0.7, average=0.998)

    def batch_loss(random: torch.Generator) -> Tensor:
        pictures = random_pictures(album, settings.vae_batch, random).to(device, memory_format=torch.channels_last)
        with half_precision(device):
            with torch.no_grad():
                latents, _ = encoder(pictures)
            noise = torch.randn(latents.shape, generator=random, device=device) * deviation
            much = LATENT_NOISE_MAX * torch.rand(len(latents), 1, 1, 1, generator=random, device=device).square()
            drawn = decoder(latents + much * noise)
        return picture_loss(drawn.float(), pictures)

    learner = begin(decoder, adamw(decoder, plan.rate))
    learn(Lesson(POLISHED_DECODER, settings.vae_batch, plan, batch_loss, device), learner, settings)
