"""Text encoder and draft learn first, alone: from words straight to latents, without any noise.

A picture's mean over noise and motion is all the draft has to say, and saying it costs a twentieth of a denoising step.
So the denoiser begins with words that already mean different things, and with a blurred drawing of each.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.device import choose_device, half_precision
from training.learning.checkpoint import begin
from training.learning.loop import Lesson, checkpoint_path, learn
from training.learning.optimisers import muon_and_adamw
from training.learning.schedule import Plan
from training.networks.denoiser import ADAMW_PARTS, draft_loss
from training.settings import Settings
from training.stages.make_latents import read_latents
from training.stages.names import DENOISER, DRAFT
from training.stages.train_denoiser import TextToLatents, choose_prompts, empty_prompt, prompt_table


def train_draft(settings: Settings) -> None:
    if checkpoint_path(settings, DENOISER).exists():
        return
    device = choose_device()
    latents = read_latents(settings)
    stored = latents.latents.to(device)
    prompts = prompt_table(latents, device)
    empty = empty_prompt(device)
    torch.manual_seed(settings.seed)
    network = TextToLatents().to(device, memory_format=torch.channels_last)
    plan = Plan(steps=settings.draft_steps, rate=2e-3, fall=0.5, average=0.99)

    def batch_loss(random: torch.Generator) -> Tensor:
        rows = torch.randint(len(stored), (settings.draft_batch,), generator=random, device=device)
        with half_precision(device):
            context = network.text_encoder(choose_prompts(prompts[rows], empty, random))
            drafted = network.denoiser.draft_latents(context)
        return draft_loss(drafted, stored[rows])

    # The denoiser's other layers get no gradient, so no optimiser moves them.
    learner = begin(network, muon_and_adamw(network, plan.rate, ADAMW_PARTS))
    learn(Lesson(DRAFT, settings.draft_batch, plan, batch_loss, device), learner, settings)
