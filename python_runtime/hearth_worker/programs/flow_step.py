"""One step of flow matching, for pictures at different time steps, with different prompts and guidance: one UNet call.

The UNet says how fast latents are to move at time t, from noise (0) to picture (1): told the prompt, and told what the
picture is to be unlike. A step of Euler's method goes along untold + guidance (told - untold) for 1/steps of the way.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from msgspec import Struct

from hearth_worker.engines.onnx_values import Array
from hearth_worker.programs.side_by_side import joined

# With this guidance only the told row counts, and the other is not computed.
UNGUIDED = 1.0

# From the UNet's inputs to velocities, one for each row.
RunUnet = Callable[[Mapping[str, Array]], Array]


class Sample(Protocol):
    """A picture on its way: latents float32 [channels, height, width], `told` and `untold` [tokens, size] each."""

    @property
    def latents(self) -> Array: ...
    @property
    def told(self) -> Array: ...
    @property
    def untold(self) -> Array: ...
    @property
    def step(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def guidance(self) -> float: ...


class Move(Struct, frozen=True):
    """What a step made of the samples, a row for each: their latents, and where the velocity of this step would end."""

    latents: Array
    heading: Array


def rows_of(samples: Sequence[Sample]) -> int:
    """Of the UNet call that they share."""
    return sum(1 if sample.guidance == UNGUIDED else 2 for sample in samples)


def move(samples: Sequence[Sample], run_unet: RunUnet) -> Move:
    """The told rows of all come first, then the untold rows of those that need one.

    Every operation is on single rows or elements, in float32, so a sample's new latents are the same bytes in any
    company, as far as the UNet's are.
    """
    count = len(samples)
    guided = [number for number, sample in enumerate(samples) if sample.guidance != UNGUIDED]
    rows = [*range(count), *guided]
    times = np.array([sample.step / sample.steps for sample in samples], np.float32)
    latents = np.stack([samples[row].latents for row in rows])
    context = joined([*(sample.told for sample in samples), *(samples[number].untold for number in guided)])
    computed = run_unet({"latents": latents, "times": times[rows], "context": context})
    before, velocity = latents[:count], _guided(computed, samples, guided)
    lengths = _column([1 / sample.steps for sample in samples], velocity)
    to_go = _column([1 - sample.step / sample.steps for sample in samples], velocity)
    return Move(before + velocity * lengths, before + velocity * to_go)


def _guided(computed: Array, samples: Sequence[Sample], guided: Sequence[int]) -> Array:
    count = len(samples)
    velocity = computed[:count]
    if not guided:
        return velocity
    told, untold = velocity[guided], computed[count:]
    guidance = _column([samples[number].guidance for number in guided], told)
    # The rows are this step's own.
    velocity[guided] = untold + guidance * (told - untold)
    return velocity


def _column(values: Sequence[float], like: Array) -> Array:
    """A value for each row."""
    return np.array(values, np.float32).reshape(-1, *([1] * (like.ndim - 1)))
