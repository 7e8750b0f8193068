"""Blocks that several networks share."""

from __future__ import annotations

from typing import TypeVar

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)


def group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(16, channels // 4), channels)


def convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the picture's side (or divides it by `stride`)."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)


def zeroed(layer: Layer) -> Layer:
    """A layer that begins silent, so that its block begins as the identity."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class Residual(nn.Module):
    """Two convolutions beside a shortcut; a condition [batch, n], if any, scales and shifts between them."""

    def __init__(self, inputs: int, outputs: int, condition: int = 0) -> None:
        super().__init__()
        self.norm1 = group_norm(inputs)
        self.conv1 = convolution(inputs, outputs)
        self.norm2 = group_norm(outputs)
        self.conv2 = zeroed(convolution(outputs, outputs))
        self.modulation = nn.Linear(condition, 2 * outputs) if condition else None
        self.shortcut = convolution(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        hidden = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.modulation is not None and condition is not None:
            scale, shift = self.modulation(condition)[:, :, None, None].chunk(2, 1)
            hidden = hidden * (1 + scale) + shift
        return self.shortcut(x) + self.conv2(F.silu(hidden))


def attend(queries: Tensor, keys: Tensor, values: Tensor, heads: int) -> Tensor:
    """Attention of several heads, all [batch, places, size].

    Written out: on a CPU, torch's fused attention is several times slower for so few places.
    """
    queries, keys, values = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (queries, keys, values))
    scores = (queries @ keys.transpose(-1, -2)) * (queries.shape[-1] ** -0.5)
    weights = scores.softmax(-1, dtype=torch.float32).to(values.dtype)
    return (weights @ values).transpose(1, 2).flatten(2)
