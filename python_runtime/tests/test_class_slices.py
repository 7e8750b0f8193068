"""Batch work has its share of a worker's time, however much interactive work there is."""

from hypothesis import given
from hypothesis import strategies as st

from hearth_worker.class_slices import BATCH_SHARE, SAVED_MS_MAX, SLICE_MS, ClassSlices

# Of one step, in milliseconds.
durations = st.floats(0.5, 400)


def test_batch_work_is_due_once_interactive_work_has_computed_for_a_second_while_it_waited() -> None:
    slices = ClassSlices()
    slices.computed("interactive", 990, is_batch_waiting=True)
    assert not slices.is_batch_due
    slices.computed("interactive", 10, is_batch_waiting=True)
    assert slices.is_batch_due


def test_it_is_not_due_where_it_has_computed_enough_while_interactive_work_rested() -> None:
    slices = ClassSlices()
    for _ in range(100):
        slices.computed("batch", 100, is_batch_waiting=True)
        slices.computed("interactive", 100, is_batch_waiting=True)
        assert not slices.is_batch_due


def test_nothing_is_owed_while_no_batch_work_waits() -> None:
    slices = ClassSlices()
    slices.computed("interactive", 10_000, is_batch_waiting=False)
    assert not slices.is_batch_due


@given(interactive=durations, batch=durations)
def test_under_interactive_work_without_end_batch_work_has_its_share(interactive: float, batch: float) -> None:
    slices = ClassSlices()
    had = total = 0.0
    while total < 60_000:
        step = batch if slices.is_batch_due else interactive
        if slices.is_batch_due:
            had += step
            slices.computed("batch", step, is_batch_waiting=True)
        else:
            slices.computed("interactive", step, is_batch_waiting=True)
        total += step
    assert had >= BATCH_SHARE * total - SLICE_MS - SAVED_MS_MAX
    assert had <= BATCH_SHARE * total + batch
