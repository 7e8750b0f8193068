"""The upscaler learns from the same pictures drawn twice as large, their small ones a little noisy.

It will meet pictures that a decoder made.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from training.device import choose_device, half_precision
from training.learning.checkpoint import begin
from training.learning.loop import Lesson, learn
from training.learning.optimisers import adamw
from training.learning.schedule import Plan
from training.networks.upscaler import FACTOR, Upscaler
from training.pictures.album import open_album
from training.pictures.compose import PALETTE, PICTURE_SIDE, WIDE, show_rows
from training.settings import Settings
from training.stages.names import UPSCALER

BATCH = 8
NOISE = 0.02
SQUARES_WEIGHT = 2.0


def train_upscaler(settings: Settings) -> None:
    album = open_album(settings.folder)
    device = choose_device()
    torch.manual_seed(settings.seed)
    network = Upscaler().to(device, memory_format=torch.channels_last)
    plan = Plan(steps=settings.upscaler_steps, rate=1e-3, fall=0.6, average=0.99)
    seen = torch.from_numpy(album.seen)

    def batch_loss(random: torch.Generator) -> Tensor:
        host = torch.Generator().manual_seed(int(torch.randint(2**62, (1,), generator=random, device=random.device)))
        rows = seen[torch.randint(len(seen), (BATCH,), generator=host)]
        colours = torch.randint(len(PALETTE), (BATCH,), generator=host)
        large = show_rows(album, rows.numpy(), colours, WIDE, host, side=FACTOR * PICTURE_SIDE)
        small = shrink(large) + NOISE * torch.rand(BATCH, 1, 1, 1, generator=host) * torch.randn(
            BATCH, 3, PICTURE_SIDE, PICTURE_SIDE, generator=host
        )
        with half_precision(device):
            drawn = network(small.to(device, memory_format=torch.channels_last))
        error = drawn.float() - large.to(device)
        return error.abs().mean() + SQUARES_WEIGHT * error.square().mean()

    learner = begin(network, adamw(network, plan.rate))
    learn(Lesson(UPSCALER, BATCH, plan, batch_loss, device), learner, settings)


def shrink(large: Tensor) -> Tensor:
    """Half the side, each pixel the mean of four: how the small drawings are made."""
    return F.avg_pool2d(large, FACTOR)
