"""Checkpoints of pictures: whatever bytes come back, they are read whole or refused in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_worker.programs.preview_budget import PreviewsMade
from hearth_worker.programs.saved_latents import BrokenCheckpoint, SavedLatents, pack, unpack

LATENTS = np.arange(4 * 2 * 3, dtype=np.float32).reshape(4, 2, 3)
SAVED = SavedLatents(LATENTS, step=5, steps=20, seed=2**53 - 1, previews=PreviewsMade(2, 4))


def test_what_is_written_is_read_again() -> None:
    found = unpack(pack(SAVED))
    assert found.latents.tobytes() == LATENTS.tobytes()
    assert found.latents.flags.writeable
    assert (found.step, found.steps, found.seed, found.previews) == (5, 20, 2**53 - 1, PreviewsMade(2, 4))
    assert len(pack(SAVED)) == 44 + LATENTS.nbytes


def test_a_part_of_a_larger_array_is_written_alone() -> None:
    part = SavedLatents(np.stack([LATENTS, -LATENTS])[1], 1, 2, 3, PreviewsMade())
    assert np.array_equal(unpack(pack(part)).latents, -LATENTS)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(BrokenCheckpoint):
        unpack(data)


@given(st.integers(0, 44 + LATENTS.nbytes - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(place: int, difference: int) -> None:
    data = bytearray(pack(SAVED))
    data[place] ^= difference
    with pytest.raises(BrokenCheckpoint):
        unpack(bytes(data))
