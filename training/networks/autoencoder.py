"""Pictures to latents and back: 64x64x3 to 16x16x4, four times smaller each way.

All work is done at 32x32 and below (pixels are folded into channels first), which is what makes it cheap on a CPU.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.networks.blocks import Residual, convolution, group_norm

LATENT_CHANNELS = 4
LATENT_SIDE = 16

# Bounds of the logarithm of the latent's variance: keeps exp() finite whatever the first steps do.
LOG_VARIANCE_MIN, LOG_VARIANCE_MAX = -12.0, 4.0


class Encoder(nn.Module):
    """Pictures [batch, 3, 64, 64] in -1 to 1 to the mean and log variance of their latents, each [batch, 4, 16, 16]."""

    def __init__(self, outer: int = 32, inner: int = 96) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(2),
            convolution(12, outer),
            Residual(outer, outer),
            convolution(outer, inner, 3, 2),
            Residual(inner, inner),
            Residual(inner, inner),
            group_norm(inner),
            nn.SiLU(),
            convolution(inner, 2 * LATENT_CHANNELS),
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.layers(pictures).chunk(2, 1)
        return mean, log_variance.clamp(LOG_VARIANCE_MIN, LOG_VARIANCE_MAX)


class Decoder(nn.Module):
    """Latents [batch, 4, 16, 16] to pictures [batch, 3, 64, 64], about -1 to 1."""

    def __init__(self, outer: int = 32, inner: int = 96, last: int = 16) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            convolution(LATENT_CHANNELS, inner),
            Residual(inner, inner),
            Residual(inner, inner),
            Residual(inner, inner),
            enlarge(inner, outer),
            Residual(outer, outer),
            Residual(outer, outer),
            enlarge(outer, last),
            nn.SiLU(),
            convolution(last, 3),
        )

    def forward(self, latents: Tensor) -> Tensor:
        return self.layers(latents)


def enlarge(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(convolution(inputs, 4 * outputs), nn.PixelShuffle(2))


def sample_latents(mean: Tensor, log_variance: Tensor, random: torch.Generator) -> Tensor:
    """A draw from the latents' distribution, through which gradients flow."""
    noise = torch.randn(mean.shape, generator=random, device=mean.device).to(mean.dtype)
    return mean + noise * (log_variance * 0.5).exp()
