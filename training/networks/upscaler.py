"""Twice as large: bicubic enlargement, corrected by a few convolutions at the small size."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from training.networks.blocks import convolution, zeroed

FACTOR = 2


class Upscaler(nn.Module):
    """Pictures [batch, 3, height, width] in -1 to 1 to [batch, 3, 2 height, 2 width]. Any size."""

    def __init__(self, width: int = 32, blocks: int = 3) -> None:
        super().__init__()
        self.enter = convolution(3, width)
        self.blocks = nn.Sequential(*(Plain(width) for _ in range(blocks)))
        self.leave = zeroed(convolution(width, 3 * FACTOR * FACTOR))
        self.arrange = nn.PixelShuffle(FACTOR)

    def forward(self, pictures: Tensor) -> Tensor:
        base = F.interpolate(pictures, scale_factor=float(FACTOR), mode="bicubic", align_corners=False)
        return base + self.arrange(self.leave(self.blocks(self.enter(pictures))))


class Plain(nn.Module):
    """A residual block without normalisation: a picture's contrast must survive."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(convolution(width, width), nn.ReLU(), zeroed(convolution(width, width)))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)
