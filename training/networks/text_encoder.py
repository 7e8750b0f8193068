"""Token numbers to a context the denoiser can look at: a transformer of two layers."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from training.networks.blocks import attend
from training.vocabulary.tokenizer import PROMPT_TOKENS

CONTEXT_SIZE = 192


class TextEncoder(nn.Module):
    """Numbers, int64 [batch, 16], to context, float [batch, 16, 192]. Padding is a word like any other."""

    def __init__(self, vocabulary: int, size: int = CONTEXT_SIZE, layers: int = 2) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, size)
        nn.init.normal_(self.words.weight, std=0.5)
        self.places = nn.Parameter(torch.randn(PROMPT_TOKENS, size) * 0.02)
        self.layers = nn.ModuleList(Layer(size) for _ in range(layers))
        self.norm = nn.LayerNorm(size)

    def forward(self, numbers: Tensor) -> Tensor:
        hidden = self.words(numbers) + self.places
        for layer in self.layers:
            hidden = layer(hidden)
        return self.norm(hidden)


class Layer(nn.Module):
    """Self-attention and a perceptron, each normalised before and added after."""

    def __init__(self, size: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(size)
        self.mix = nn.Linear(size, 3 * size)
        self.merge = nn.Linear(size, size)
        self.norm2 = nn.LayerNorm(size)
        self.widen = nn.Linear(size, 3 * size)
        self.narrow = nn.Linear(3 * size, size)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.merge(attend(*self.mix(self.norm1(x)).chunk(3, -1), self.heads))
        return x + self.narrow(F.gelu(self.widen(self.norm2(x))))
