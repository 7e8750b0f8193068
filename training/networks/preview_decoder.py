"""Latents to a small picture, for a look while the denoiser still works; far cheaper than the decoder."""

from __future__ import annotations

from torch import Tensor, nn

from training.networks.autoencoder import LATENT_CHANNELS
from training.networks.blocks import convolution


class PreviewDecoder(nn.Module):
    """Latents [batch, 4, 16, 16] to pictures [batch, 3, 32, 32], about -1 to 1."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            convolution(LATENT_CHANNELS, width),
            nn.SiLU(),
            convolution(width, width),
            nn.SiLU(),
            convolution(width, 12),
            nn.PixelShuffle(2),
        )

    def forward(self, latents: Tensor) -> Tensor:
        return self.layers(latents)
