"""Muon's updates."""

from __future__ import annotations

import pytest
import torch

from training.learning.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(64, 300), (300, 64), (32, 32)])
def test_directions_that_matter_become_equally_long(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)).float())
    assert 0.6 < values.median() < 1.6
    assert values.max() < 2


def test_a_matrix_is_learnt() -> None:
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.zeros(8, 16))
    wanted = torch.randn(8, 16)
    optimiser = Muon([weight], lr=0.05, weight_decay=0.0)
    for step in range(200):
        optimiser.param_groups[0]["lr"] = 0.05 * (1 - step / 200)
        optimiser.zero_grad()
        (weight - wanted).square().mean().backward()
        optimiser.step()
    assert (weight - wanted).abs().mean() < 0.1 * wanted.abs().mean()
