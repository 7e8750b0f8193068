"""When previews are made: as asked, unless they would cost too much."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_worker.programs.preview_budget import COST_SHARE_MAX, CREDIT, MeasuredMs, PreviewsMade, is_preview_due


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
        # The first on credit: it costs up to twice what all steps earn.
        ({"steps": 20, "every": 5, "preview_ms": 144.0}, [5]),
        ({"steps": 20, "every": 5, "preview_ms": 145.0}, []),
    ],
)
def test_previews_come_as_asked_and_at_longer_intervals_where_they_cost_much(
    asked: dict[str, Any], expected: list[int]
) -> None:
    assert preview_steps(**asked) == expected


@given(st.integers(1, 100), st.integers(1, 30), st.floats(0.1, 1000), st.floats(0, 1000))
def test_previews_stay_within_their_share_but_for_a_first_on_credit(
    steps: int, every: int, step_ms: float, preview_ms: float
) -> None:
    made = preview_steps(steps=steps, every=every, step_ms=step_ms, preview_ms=preview_ms)
    share = len(made) * preview_ms / (steps * step_ms)
    assert share <= (COST_SHARE_MAX if len(made) > 1 else CREDIT * COST_SHARE_MAX) + 1e-9
    assert steps not in made
    assert all(later - earlier >= every for earlier, later in zip([0, *made], made, strict=False))


def test_a_mean_follows_what_is_measured_and_forgets_what_was_disturbed() -> None:
    assert MeasuredMs().value is None
    mean = MeasuredMs(100)
    for _ in range(20):
        mean.add(10)
    assert mean.value == pytest.approx(10, abs=1)
