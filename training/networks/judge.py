"""A small classifier that says what a picture shows. It only ever judges; no network learns from its opinion."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from training.networks.blocks import convolution
from training.pictures.icons import STYLES


class Judge(nn.Module):
    """Pictures [batch, 3, 64, 64] in -1 to 1 to scores of objects [batch, objects] and of styles [batch, 2]."""

    def __init__(self, objects: int, widths: tuple[int, ...] = (32, 64, 128, 256)) -> None:
        super().__init__()
        stages = [layer for a, b in pairwise(widths) for layer in (*normed(a, b, 2), *normed(b, b, 1))]
        self.features = nn.Sequential(
            convolution(3, widths[0], 3, 2),
            *stages,
            # A maximum over quarters of the picture: a thing may stand a little aside.
            nn.AdaptiveMaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.2),
        )
        self.object = nn.Linear(4 * widths[-1], objects)
        # Style is texture, so it gets a layer of its own instead of the objects' features alone.
        self.style = nn.Sequential(nn.Linear(4 * widths[-1], 128), nn.ReLU(), nn.Linear(128, len(STYLES)))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(pictures)
        return self.object(features), self.style(features)


def normed(inputs: int, outputs: int, stride: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
