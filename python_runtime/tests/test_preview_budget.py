"""When previews are made: as asked, unless they would cost too much."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_worker.programs.preview_budget import COST_SHARE_MAX, MeasuredMs, PreviewsMade, is_preview_due


def preview_steps(*, steps: int, every: int, step_ms: float = 30.0, preview_ms: float | None = 0.0) -> list[int]:
    """After which steps a picture gets previews."""
    made, found = PreviewsMade(), []
    for done in range(1, steps + 1):
        if is_preview_due(made, done, steps, every, step_ms, preview_ms):
            made = PreviewsMade(made.count + 1, done)
            found.append(done)
    return found


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"steps": 20, "every": 5}, [5, 10, 15]),
        ({"steps": 20, "every": 1, "preview_ms": 3.0}, [*range(1, 20)]),
        ({"steps": 20, "every": 5, "preview_ms": None}, [5, 10, 15]),
        ({"steps": 5, "every": 5}, []),
        ({"steps": 1, "every": 1}, []),
        ({"steps": 6, "every": 5}, [5]),
        # 32 ms of the 72 that 20 steps of 30 ms earn: after 18 steps two are paid.
        ({"steps": 20, "every": 5, "preview_ms": 32.0}, [5, 18]),
        ({"steps": 20, "every": 1, "preview_ms": 32.0}, [1, 18]),
        # The first comes as asked if all steps pay for it, else there is none.
        ({"steps": 20, "every": 5, "preview_ms": 72.0}, [5]),
        ({"steps": 20, "every": 5, "preview_ms": 73.0}, []),
    ],
)
def test_previews_come_as_asked_and_at_longer_intervals_where_they_cost_much(
    asked: dict[str, Any], expected: list[int]
) -> None:
    assert preview_steps(**asked) == expected


@given(st.integers(1, 100), st.integers(1, 30), st.floats(0.1, 1000), st.floats(0, 1000))
def test_previews_stay_within_their_share(steps: int, every: int, step_ms: float, preview_ms: float) -> None:
    made = preview_steps(steps=steps, every=every, step_ms=step_ms, preview_ms=preview_ms)
    assert len(made) * preview_ms <= COST_SHARE_MAX * steps * step_ms + 1e-9
    assert steps not in made
    assert all(later - earlier >= every for earlier, later in zip([0, *made], made, strict=False))


def test_an_interrupted_one_counts_and_comes_again_when_it_is_paid() -> None:
    interrupted = PreviewsMade(count=1)
    due = [done for done in range(1, 20) if is_preview_due(interrupted, done, 20, 5, 30.0, 32.0)]
    assert due[0] == 18


def test_after_one_that_failed_there_are_no_more() -> None:
    assert not any(is_preview_due(PreviewsMade(has_failed=True), done, 20, 5, 30.0, None) for done in range(20))


def test_a_mean_follows_what_is_measured_and_forgets_what_was_disturbed() -> None:
    assert MeasuredMs().value is None
    mean = MeasuredMs(100)
    for _ in range(20):
        mean.add(10)
    assert mean.value == pytest.approx(10, abs=1)
