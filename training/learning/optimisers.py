"""Which optimiser moves which weight."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.learning.muon import Muon

ADAM_BETAS = (0.9, 0.95)
WEIGHT_DECAY = 0.01


def adamw(network: nn.Module, rate: float) -> list[torch.optim.Optimizer]:
    """AdamW for every weight."""
    return [torch.optim.AdamW(network.parameters(), rate, betas=ADAM_BETAS, weight_decay=WEIGHT_DECAY)]


def muon_and_adamw(network: nn.Module, rate: float, adamw_parts: tuple[str, ...]) -> list[torch.optim.Optimizer]:
    """Muon for matrices and convolutions; AdamW for the rest, and wherever `adamw_parts` has a piece of the name."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, weight in network.named_parameters():
        plain = weight.ndim < 2 or any(part in name.split(".") for part in adamw_parts)
        (others if plain else matrices).append(weight)
    return [
        torch.optim.AdamW(others, rate, betas=ADAM_BETAS, weight_decay=WEIGHT_DECAY),
        Muon(matrices, rate, weight_decay=WEIGHT_DECAY),
    ]
