"""Outputs go from task to task as references, and what is copied all the same is counted."""

import numpy as np
import pytest

from hearth_worker.failures import InputMissing
from hearth_worker.programs import hand_over
from hearth_worker.programs.decode_latents import DecodedPicture
from hearth_worker.programs.hand_over import HandOverFigures, taken
from hearth_worker.programs.side_by_side import apart, in_runs, joined, place_of
from hearth_worker.protocol.tensors import Tensor


@pytest.fixture(autouse=True)
def figures(monkeypatch: pytest.MonkeyPatch) -> HandOverFigures:
    fresh = HandOverFigures()
    for module in (hand_over.__name__, "hearth_worker.programs.side_by_side"):
        monkeypatch.setattr(f"{module}.figures", fresh)
    return fresh


def batch(rows: int, width: int = 4) -> np.ndarray:
    return np.arange(rows * width, dtype=np.float32).reshape(rows, width)


def picture_of(array: np.ndarray) -> DecodedPicture:
    return DecodedPicture(Tensor(array.dtype.name, array.shape, array))


def test_what_is_taken_is_the_same_memory(figures: HandOverFigures) -> None:
    row = batch(3)[1]
    found = taken({"decode": picture_of(row)}, "picture")
    assert np.shares_memory(found, row)
    assert figures == HandOverFigures(tensors=1, bytes=16, copied_bytes=0, gathered_bytes=0)


def test_what_is_not_contiguous_is_copied_and_counted(figures: HandOverFigures) -> None:
    turned = batch(3).T
    found = taken({"decode": picture_of(turned)}, "picture")
    assert np.array_equal(found, turned)
    assert figures == HandOverFigures(tensors=1, bytes=48, copied_bytes=48, gathered_bytes=0)


def test_the_last_of_several_is_taken_and_maps_and_bytes_serve_as_well() -> None:
    small, large = batch(1), batch(2)
    inputs = {"decode": picture_of(small), "upscale": picture_of(large), "check": {"score": 0.1}}
    assert taken(inputs, "picture").shape == (2, 4)
    from_map = taken({"mine": {"picture": Tensor("float32", [1, 4], small.tobytes())}}, "picture")
    assert np.array_equal(from_map, small)


def test_what_nobody_gave_is_missing() -> None:
    for inputs in ({}, {"check": {"score": 0.1}}, {"decode": {"picture": "no tensor"}}):
        with pytest.raises(InputMissing):
            taken(inputs, "picture")


def test_rows_of_one_batch_are_joined_without_a_copy(figures: HandOverFigures) -> None:
    rows = batch(5)
    joint = joined([rows[1], rows[2], rows[3]])
    assert np.shares_memory(joint, rows)
    assert np.array_equal(joint, rows[1:4])
    assert np.shares_memory(joined([rows[4]]), rows)
    assert figures.gathered_bytes == 0


def test_rows_that_lie_apart_are_gathered_and_counted(figures: HandOverFigures) -> None:
    rows, others = batch(5), batch(5)
    for arrays in ([rows[0], rows[2]], [rows[1], rows[0]], [rows[0], others[1]], [rows[0], rows[0]]):
        before = figures.gathered_bytes
        assert np.array_equal(joined(arrays), np.stack(arrays))
        assert figures.gathered_bytes == before + 32


def test_arrays_are_grouped_into_runs_that_lie_side_by_side() -> None:
    rows, others = batch(6), batch(2)
    arrays = [rows[3], others[0], rows[0], rows[4], rows[1], others[1], batch(1)[0]]
    runs = in_runs(arrays)
    assert sorted(runs) == [[0, 3], [1, 5], [2, 4], [6]]
    for run in runs:
        assert np.shares_memory(joined([arrays[number] for number in run]), arrays[run[0]])
    assert in_runs([]) == []


def test_arrays_of_one_batch_have_one_place_and_others_have_others() -> None:
    rows, others = batch(2), batch(2)
    assert place_of(rows[0]) == place_of(rows[1]) != place_of(others[0])
    assert place_of(rows[0]) != place_of(rows[0][:2])


def test_a_row_apart_keeps_no_others_alive() -> None:
    rows = batch(3)
    assert np.array_equal(apart(rows), rows)
    assert not any(np.shares_memory(row, rows) for row in apart(rows))
    alone = batch(1)
    assert np.shares_memory(apart(alone)[0], alone)
