"""How the rows of a step are divided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_worker.programs.share_rows import share_rows


@pytest.mark.parametrize(
    ("wanted", "rows_max", "shares"),
    [
        ([5], 32, [5]),
        ([200], 32, [32]),
        ([200, 2], 32, [30, 2]),
        ([100, 100], 32, [16, 16]),
        ([100, 1, 100], 32, [16, 1, 15]),
        ([1, 1, 1], 2, [1, 1, 0]),
        ([0, 3], 2, [0, 2]),
        ([], 32, []),
    ],
)
def test_examples(wanted: list[int], rows_max: int, shares: list[int]) -> None:
    assert share_rows(wanted, rows_max) == shares


@given(st.lists(st.integers(0, 100), max_size=40), st.integers(1, 64))
def test_no_row_is_wasted_none_invented_and_parts_are_equal(wanted: list[int], rows_max: int) -> None:
    shares = share_rows(wanted, rows_max)
    assert sum(shares) == min(sum(wanted), rows_max)
    assert all(0 <= share <= want for share, want in zip(shares, wanted, strict=True))
    unsatisfied = [share for share, want in zip(shares, wanted, strict=True) if share < want]
    if unsatisfied:
        assert max(shares) - min(unsatisfied) <= 1
