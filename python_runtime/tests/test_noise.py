"""Noise by an algorithm of our own: what it is must never change, or every seed would give another picture."""

import numpy as np
import pytest

from hearth_worker.programs.noise import noise_of

EXPECTED = [-1.777709, -0.6932173, 0.9758835, 0.4686166]


def test_a_seed_gives_these_numbers_for_ever() -> None:
    assert noise_of(7, [4]).tolist() == pytest.approx(EXPECTED, abs=1e-6)


def test_it_is_normal_of_any_shape_and_never_infinite() -> None:
    noise = noise_of(123, [4, 251, 251])
    assert (noise.shape, noise.dtype.name) == ((4, 251, 251), "float32")
    assert np.isfinite(noise).all()
    assert float(noise.mean()) == pytest.approx(0, abs=0.01)
    assert float(noise.std()) == pytest.approx(1, abs=0.01)
    assert float((np.abs(noise) < 1).mean()) == pytest.approx(0.6827, abs=0.005)
    assert noise_of(1, [0]).shape == (0,)
    assert noise_of(1, [1]).shape == (1,)


def test_neighbouring_seeds_have_nothing_in_common() -> None:
    first, second = noise_of(2**53 - 1, [4096]), noise_of(2**53 - 2, [4096])
    assert abs(float(np.corrcoef(first, second)[0, 1])) < 0.06
