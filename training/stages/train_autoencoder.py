"""The autoencoder learns to draw pictures again from 16x16x4 latents; later its decoder is polished alone.

Once latents were made, the encoder is frozen: the denoiser knows pictures only in its language.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.device import choose_device, half_precision
from training.learning.checkpoint import Learner, begin
from training.learning.loop import Lesson, checkpoint_path, learn
from training.learning.optimisers import adamw
from training.learning.schedule import Plan
from training.networks.autoencoder import Decoder, Encoder, sample_latents
from training.pictures.album import Album, open_album
from training.pictures.compose import PALETTE, WIDE, show_rows
from training.settings import Settings
from training.stages.grid import write_grid
from training.stages.names import AUTOENCODER, DENOISER, LATENTS_FILE

# Objects of prompts make up this part of a batch; the rest are other icons, so that latents serve all pictures.
OBJECTS_PART = 0.6
EDGES_WEIGHT = 0.5
SQUARES_WEIGHT = 2.0
# A whisper of regularisation: latents stay near a unit Gaussian but give nothing away.
DIVERGENCE_WEIGHT = 1e-4


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()


def train_autoencoder(settings: Settings) -> None:
    if settings.path(LATENTS_FILE).exists() or checkpoint_path(settings, DENOISER).exists():
        return
    album = open_album(settings.folder)
    device = choose_device()
    torch.manual_seed(settings.seed)
    network = Autoencoder().to(device, memory_format=torch.channels_last)
    plan = Plan(steps=settings.vae_steps, rate=1.5e-3, fall=0.5, average=0.998)

    def batch_loss(random: torch.Generator) -> Tensor:
        pictures = random_pictures(album, settings.vae_batch, random).to(device, memory_format=torch.channels_last)
        with half_precision(device):
            mean, log_variance = network.encoder(pictures)
            drawn = network.decoder(sample_latents(mean, log_variance, random))
        divergence = 0.5 * (mean.float() ** 2 + log_variance.float().exp() - 1 - log_variance.float()).mean()
        return picture_loss(drawn.float(), pictures) + DIVERGENCE_WEIGHT * divergence

    def look(learner: Learner) -> None:
        shown = Autoencoder().to(device)
        shown.load_state_dict(learner.average)
        random = torch.Generator().manual_seed(settings.seed)
        pictures = random_pictures(album, 16, random).to(device)
        with torch.no_grad():
            drawn = shown.decoder(shown.encoder(pictures)[0])
        write_grid(
            torch.cat([pictures, drawn]).cpu(), settings.path(f"grids/{AUTOENCODER}-{learner.step:06d}.png"), columns=16
        )

    learner = begin(network, adamw(network, plan.rate))
    learn(Lesson(AUTOENCODER, settings.vae_batch, plan, batch_loss, device, look), learner, settings)


def random_pictures(album: Album, count: int, random: torch.Generator) -> Tensor:
    """Pictures that the autoencoder may see, on any background."""
    host = torch.Generator().manual_seed(int(torch.randint(2**62, (1,), generator=random, device=random.device)))
    from_objects = torch.rand(count, generator=host) < OBJECTS_PART
    objects = torch.from_numpy(album.objects.ravel())
    others = torch.from_numpy(album.seen)
    rows = torch.where(
        from_objects,
        objects[torch.randint(len(objects), (count,), generator=host)],
        others[torch.randint(len(others), (count,), generator=host)],
    )
    colours = torch.randint(len(PALETTE), (count,), generator=host)
    return show_rows(album, rows.numpy(), colours, WIDE, host)


def picture_loss(drawn: Tensor, pictures: Tensor) -> Tensor:
    """Absolute and squared error, and the error of edges: the difference between neighbours."""
    error = drawn - pictures
    edges = (error[..., 1:] - error[..., :-1]).abs().mean() + (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    return error.abs().mean() + SQUARES_WEIGHT * error.square().mean() + EDGES_WEIGHT * edges
