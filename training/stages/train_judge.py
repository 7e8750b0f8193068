"""The judge learns objects and styles from drawings that were blurred and disturbed, so that it does not take the
softness of a decoder for a style."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from training.device import choose_device, half_precision
from training.learning.checkpoint import begin
from training.learning.loop import Lesson, learn
from training.learning.optimisers import adamw
from training.learning.schedule import Plan
from training.networks.judge import Judge
from training.pictures.album import open_album
from training.pictures.compose import WIDE, show_objects
from training.settings import Settings
from training.stages.names import JUDGE
from training.vocabulary.objects import read_objects

BLURRED_PART = 0.4
NOISE_MAX = 0.12
LABEL_SMOOTHING = 0.05
STYLE_WEIGHT = 0.5


def train_judge(settings: Settings) -> None:
    album = open_album(settings.folder)
    device = choose_device()
    torch.manual_seed(settings.seed)
    judge = Judge(len(read_objects())).to(device, memory_format=torch.channels_last)
    plan = Plan(steps=settings.judge_steps, rate=2e-3, fall=0.7, average=0.99)

    def batch_loss(random: torch.Generator) -> Tensor:
        host = torch.Generator().manual_seed(int(torch.randint(2**62, (1,), generator=random, device=random.device)))
        shown = show_objects(album, settings.judge_batch, WIDE, host)
        pictures = disturb(shown.pictures, host).to(device, memory_format=torch.channels_last)
        with half_precision(device):
            things, styles = judge(pictures)
        of_things = F.cross_entropy(things.float(), shown.things.to(device), label_smoothing=LABEL_SMOOTHING)
        return of_things + STYLE_WEIGHT * F.cross_entropy(styles.float(), shown.styles.to(device))

    learner = begin(judge, adamw(judge, plan.rate))
    learn(Lesson(JUDGE, settings.judge_batch, plan, batch_loss, device), learner, settings)


def disturb(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Blurs some pictures and adds a little noise to all."""
    chance = torch.rand(len(pictures), 1, 1, 1, generator=random)
    blurred = F.interpolate(F.avg_pool2d(pictures, 2), scale_factor=2.0, mode="bilinear")
    noise = torch.randn(pictures.shape, generator=random) * NOISE_MAX * torch.rand(chance.shape, generator=random)
    return torch.where(chance < BLURRED_PART, blurred, pictures) + noise
