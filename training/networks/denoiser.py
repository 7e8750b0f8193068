"""The denoiser: a UNet of three levels that turns noise into the latents a prompt describes, by flow matching.

At time t, from 0 (noise) to 1 (picture), its input is (1 - t) noise + t picture and its output the velocity
picture - noise. Two things let it learn *which* thing a prompt names early:

- the *draft*: a small perceptron says from the words alone what the latents are, and how surely. That can be learnt at
  a twentieth of the cost of a step of the whole;
- *preconditioning* (Karras et al., 2022, carried over to flow matching): latents are taken for Gaussian around the
  draft, and what that alone says about the velocity is added outside. The UNet sees how its input departs from the
  draft, at unit variance, and its own target is what the Gaussian guess leaves open, at unit variance too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from training.networks.autoencoder import LATENT_CHANNELS, LATENT_SIDE
from training.networks.blocks import Residual, attend, convolution, group_norm, zeroed
from training.networks.text_encoder import CONTEXT_SIZE

DRAFT_CHANNELS = 8
"""The first four are a guess of the latents; what the others say is the network's own affair."""

# Bounds of the logarithm of a draft's deviation: 0.05 is surer than any draft is, 1 is knowing nothing.
LOG_DEVIATION_MIN, LOG_DEVIATION_MAX = -3.0, 0.2

TIME_FREQUENCIES = 48
SUMMARY_QUERIES = 4

SURPRISE_WEIGHT = 0.1

# These learn by AdamW: input and output layers, and whatever reads words or times.
ADAMW_PARTS = ("words", "places", "time", "summary", "modulation", "enter", "leave", "draft")


class Denoiser(nn.Module):
    """Latents [batch, 4, 16, 16] of unit variance, times [batch] in 0 to 1, context [batch, 16, 192] to velocities."""

    def __init__(self, widths: tuple[int, int, int] = (64, 160, 256), condition: int = 384, draft: int = 512) -> None:
        super().__init__()
        a, b, c = widths
        self.time = nn.Sequential(
            nn.Linear(2 * TIME_FREQUENCIES, condition), nn.SiLU(), nn.Linear(condition, condition)
        )
        self.summary = Summary(CONTEXT_SIZE, SUMMARY_QUERIES)
        self.summary_to_condition = nn.Linear(SUMMARY_QUERIES * CONTEXT_SIZE, condition)
        self.draft = Draft(SUMMARY_QUERIES * CONTEXT_SIZE, draft)

        self.enter = convolution(LATENT_CHANNELS + DRAFT_CHANNELS, a)
        self.down16 = Residual(a, a, condition)
        self.to8 = convolution(a, b, 3, 2)
        self.down8a, self.look8a = Residual(b, b, condition), Attention(b)
        self.down8b, self.look8b = Residual(b, b, condition), Attention(b)
        self.to4 = convolution(b, c, 3, 2)
        self.middle4a, self.look4a = Residual(c, c, condition), Attention(c)
        self.middle4b, self.look4b = Residual(c, c, condition), Attention(c)
        self.from4 = convolution(c, b)
        self.up8a, self.look8c = Residual(2 * b, b, condition), Attention(b)
        self.up8b, self.look8d = Residual(2 * b, b, condition), Attention(b)
        self.from8 = convolution(b, a)
        self.up16a = Residual(2 * a, a, condition)
        self.up16b = Residual(2 * a, a, condition)
        self.leave = nn.Sequential(group_norm(a), nn.SiLU(), zeroed(convolution(a, LATENT_CHANNELS)))

    def forward(self, latents: Tensor, times: Tensor, context: Tensor) -> Tensor:
        return self.velocity_and_draft(latents, times, context)[0]

    def velocity_and_draft(self, latents: Tensor, times: Tensor, context: Tensor) -> tuple[Tensor, Drafted]:
        """The velocities, and the draft, which training judges too."""
        summary = self.summary(context)
        drafted = self.draft(summary)
        condition = F.silu(self.time(waves(times)) + self.summary_to_condition(summary))
        t = times[:, None, None, None]
        # The velocity's error must not teach the draft to seem unsure: its deviation learns from its own error alone.
        deviation = drafted.log_deviation.exp().detach()
        # Input minus its expectation is (1 - t) noise + t (picture - guess); this is its variance.
        rest = latents - t * drafted.guess
        variance = (t * deviation).square() + (1 - t).square()
        scale = variance.rsqrt()
        target = self.layers(torch.cat([rest * scale, drafted.channels], 1), condition, context)
        lean = (t * deviation.square() - (1 - t)) / variance
        return drafted.guess + lean * rest + deviation * scale * target, drafted

    def draft_latents(self, context: Tensor) -> Drafted:
        """What the words alone make of the latents."""
        return self.draft(self.summary(context))

    def layers(self, x: Tensor, condition: Tensor, context: Tensor) -> Tensor:
        at16a = self.enter(x)
        at16b = self.down16(at16a, condition)
        at8a = self.look8a(self.down8a(self.to8(at16b), condition), context)
        at8b = self.look8b(self.down8b(at8a, condition), context)
        x = self.look4a(self.middle4a(self.to4(at8b), condition), context)
        x = self.look4b(self.middle4b(x, condition), context)
        x = self.from4(F.interpolate(x, scale_factor=2.0))
        x = self.look8c(self.up8a(torch.cat([x, at8b], 1), condition), context)
        x = self.look8d(self.up8b(torch.cat([x, at8a], 1), condition), context)
        x = self.from8(F.interpolate(x, scale_factor=2.0))
        x = self.up16a(torch.cat([x, at16b], 1), condition)
        return self.leave(self.up16b(torch.cat([x, at16a], 1), condition))


class Summary(nn.Module):
    """A few learned questions to the words, answered by weighted means: [batch, tokens, n] to [batch, 4 n]."""

    def __init__(self, size: int, questions: int) -> None:
        super().__init__()
        self.questions = nn.Linear(size, questions)

    def forward(self, context: Tensor) -> Tensor:
        weights = self.questions(context).float().softmax(1).to(context.dtype)
        return (weights.transpose(1, 2) @ context).flatten(1)


@dataclass(frozen=True)
class Drafted:
    """All draft channels [batch, 8, 16, 16], and the logarithm of the guess's deviation [batch, 1, 1, 1]."""

    channels: Tensor
    log_deviation: Tensor

    @property
    def guess(self) -> Tensor:
        return self.channels[:, :LATENT_CHANNELS]


class Draft(nn.Module):
    """What the words alone say about the picture: [batch, summary] to a draft."""

    def __init__(self, summary: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(summary, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, DRAFT_CHANNELS * LATENT_SIDE * LATENT_SIDE),
        )
        # A prompt that names the background leaves little open, the empty one everything.
        self.deviation = zeroed(nn.Linear(summary, 1))

    def forward(self, summary: Tensor) -> Drafted:
        channels = self.layers(summary).unflatten(1, (DRAFT_CHANNELS, LATENT_SIDE, LATENT_SIDE))
        log_deviation = self.deviation(summary).float().clamp(LOG_DEVIATION_MIN, LOG_DEVIATION_MAX)
        return Drafted(channels, log_deviation[:, :, None, None])


def draft_loss(drafted: Drafted, latents: Tensor) -> Tensor:
    """Squared error of the guess, and how unlikely that error is by the deviation it claims."""
    squares = (drafted.guess.float() - latents).square()
    surprise = 0.5 * squares.detach() * (-2 * drafted.log_deviation).exp() + drafted.log_deviation
    return squares.mean() + SURPRISE_WEIGHT * surprise.mean()


class Attention(nn.Module):
    """Places of the picture look at all places and all words in one softmax."""

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = group_norm(channels)
        self.queries = nn.Linear(channels, channels)
        self.of_picture = nn.Linear(channels, 2 * channels)
        self.of_words = nn.Linear(CONTEXT_SIZE, 2 * channels)
        self.merge = zeroed(nn.Linear(channels, channels))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        places = self.norm(x).flatten(2).transpose(1, 2)
        keys, values = torch.cat([self.of_picture(places), self.of_words(context)], 1).chunk(2, -1)
        mixed = attend(self.queries(places), keys, values, self.heads)
        return x + self.merge(mixed).transpose(1, 2).unflatten(2, x.shape[2:])


def waves(times: Tensor) -> Tensor:
    """Times [batch] as sines and cosines of many frequencies, [batch, 96]."""
    frequencies = torch.exp(torch.arange(TIME_FREQUENCIES, device=times.device) * (-math.log(1e4) / TIME_FREQUENCIES))
    angles = (times * 1000)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)
