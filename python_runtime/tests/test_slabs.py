"""Slabs in the worker: what fits where, and whose they are when."""

from pathlib import Path

import numpy as np
import pytest

from hearth_worker.protocol.requests import Slab, SlabReference
from hearth_worker.protocol.tensors import SlabSpan, Tensor
from hearth_worker.slabs import Slabs

KIB = 1024


def a_slab(folder: Path, number: int, size_bytes: int, generation: int = 1) -> Slab:
    """A file as the server makes it."""
    path = folder / f"slab-{number}"
    path.write_bytes(bytes(size_bytes))
    return Slab(number, generation, str(path), size_bytes)


@pytest.fixture
def slabs(tmp_path: Path) -> Slabs:
    slabs = Slabs()
    assert slabs.add([a_slab(tmp_path, 2, 256 * KIB), a_slab(tmp_path, 1, 64 * KIB)]) == []
    return slabs


def place(slabs: Slabs, data: bytes) -> SlabSpan | None:
    return slabs.place(memoryview(data))


def test_a_tensor_goes_into_the_smallest_slab_that_has_room(slabs: Slabs, tmp_path: Path) -> None:
    assert place(slabs, b"a" * 40 * KIB) == SlabSpan(1, 1, 0, 40 * KIB)
    assert place(slabs, b"b" * 100 * KIB) == SlabSpan(2, 1, 0, 100 * KIB)
    assert (tmp_path / "slab-1").read_bytes()[: 40 * KIB] == b"a" * 40 * KIB
    assert (tmp_path / "slab-2").read_bytes()[: 100 * KIB] == b"b" * 100 * KIB
    assert place(slabs, bytes(300 * KIB)) is None


def test_tensors_of_a_frame_share_a_slab_each_at_a_multiple_of_64(slabs: Slabs, tmp_path: Path) -> None:
    assert place(slabs, b"a" * 1001) == SlabSpan(1, 1, 0, 1001)
    assert place(slabs, b"b" * 10) == SlabSpan(1, 1, 1024, 10)
    assert (tmp_path / "slab-1").read_bytes()[1000:1035] == b"a" + bytes(23) + b"b" * 10 + bytes(1)


def test_a_slab_that_was_sent_is_filled_again_only_when_it_was_returned_under_its_new_generation(slabs: Slabs) -> None:
    place(slabs, b"a" * 40 * KIB)
    slabs.send()
    assert place(slabs, b"b") == SlabSpan(2, 1, 0, 1)
    slabs.send()
    assert place(slabs, b"c") is None
    slabs.give_back([SlabReference(1, 2), SlabReference(99, 1)])
    assert place(slabs, b"d") == SlabSpan(1, 2, 0, 1)


def test_a_frame_that_is_not_sent_leaves_no_trace(slabs: Slabs) -> None:
    place(slabs, b"a" * 40 * KIB)
    slabs.undo()
    assert place(slabs, b"b") == SlabSpan(1, 1, 0, 1)


def test_recalled_slabs_are_dropped_unless_they_are_sent_or_of_another_generation(slabs: Slabs) -> None:
    place(slabs, b"a")
    slabs.send()
    recalled = [SlabReference(1, 1), SlabReference(2, 1), SlabReference(3, 1)]
    assert slabs.drop([SlabReference(2, 2)]) == []
    assert slabs.drop(recalled) == [SlabReference(2, 1)]
    assert place(slabs, b"b") is None


def test_what_cannot_be_mapped_is_said(tmp_path: Path) -> None:
    missing = Slab(7, 3, str(tmp_path / "missing"), 64 * KIB)
    short = a_slab(tmp_path, 8, 1 * KIB)
    longer = Slab(8, 1, short.path, 64 * KIB)
    assert Slabs().add([missing, longer]) == [SlabReference(7, 3), SlabReference(8, 1)]


def test_an_array_is_copied_once_from_where_it_lies(slabs: Slabs, tmp_path: Path) -> None:
    array = np.arange(10_000, dtype=np.float32).reshape(100, 100)
    placed = slabs.place(Tensor("float32", array.shape, array).bytes())
    assert placed == SlabSpan(1, 1, 0, 40_000)
    read = np.frombuffer((tmp_path / "slab-1").read_bytes(), np.float32, 10_000)
    assert np.array_equal(read.reshape(100, 100), array)
