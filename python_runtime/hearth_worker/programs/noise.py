"""The noise that a picture begins with, by an algorithm that is stated here in full: same seed, same picture, whatever
the versions of libraries.

Words of 64 bits come from Philox4x64-10 (Salmon et al., SC 2011) with the seed as its key and a counter from 0, as
numpy gives them. Their upper 53 bits are numbers u of 0 to 1; two such become two normal values by Box and Muller:
sqrt(-2 ln(1 - u1)) times cos and sin of 2 pi u2. The first half of the picture has the cosines, the second the sines.
Computed in double precision and rounded once, to float32.
"""

from collections.abc import Sequence
from math import prod

import numpy as np

from hearth_worker.engines.onnx_values import Array


def noise_of(seed: int, shape: Sequence[int]) -> Array:
    """Standard normal float32 of that shape; `seed` from 0 to 2^128."""
    count = prod(shape)
    pairs = (count + 1) // 2
    words = np.random.Philox(key=seed).random_raw(2 * pairs).astype(np.uint64)
    uniform = (words >> np.uint64(11)) * 2.0**-53
    radius = np.sqrt(-2.0 * np.log1p(-uniform[:pairs]))
    angle = 2.0 * np.pi * uniform[pairs:]
    values = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
    return values[:count].astype(np.float32).reshape(shape)
