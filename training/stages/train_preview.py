"""The preview decoder learns what the decoder draws, at half the side, also from latents that are not finished yet."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from training.device import choose_device
from training.learning.checkpoint import begin
from training.learning.loop import Lesson, learn
from training.learning.optimisers import adamw
from training.learning.schedule import Plan
from training.networks.preview_decoder import PreviewDecoder
from training.settings import Settings
from training.stages.make_latents import read_latents
from training.stages.names import PREVIEW
from training.stages.sample import load_decoder

BATCH = 16
# Half-finished latents look like a mixture of pictures: two are blended this far at most.
BLEND_MAX = 0.5


def train_preview(settings: Settings) -> None:
    device = choose_device()
    latents = read_latents(settings)
    stored = (latents.latents * latents.deviation + latents.mean).to(device)
    decoder = load_decoder(settings).to(device)
    torch.manual_seed(settings.seed)
    network = PreviewDecoder().to(device)
    plan = Plan(steps=settings.preview_steps, rate=3e-3, fall=0.6, average=0.99)

    def batch_loss(random: torch.Generator) -> Tensor:
        rows = torch.randint(len(stored), (2, BATCH), generator=random, device=device)
        blend = BLEND_MAX * torch.rand(BATCH, 1, 1, 1, generator=random, device=device) ** 2
        mixed = stored[rows[0]].lerp(stored[rows[1]], blend)
        with torch.no_grad():
            wanted = F.avg_pool2d(decoder(mixed), 2)
        error = network(mixed) - wanted
        return error.abs().mean() + error.square().mean()

    learner = begin(network, adamw(network, plan.rate))
    learn(Lesson(PREVIEW, BATCH, plan, batch_loss, device), learner, settings)
