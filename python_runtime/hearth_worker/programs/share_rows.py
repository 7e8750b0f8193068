"""How the rows of one step are divided among the states that share it."""

from collections.abc import Sequence


def share_rows(wanted: Sequence[int], rows_max: int) -> list[int]:
    """How many of at most `rows_max` rows each state gets: equal parts, and what one does not need goes to others.

    Where rows are fewer than states, the first get them.
    """
    shares = [0] * len(wanted)
    rows_left = rows_max
    states_left = len(wanted)
    for index in sorted(range(len(wanted)), key=lambda index: wanted[index]):
        equal_part = -(-rows_left // states_left)
        shares[index] = min(wanted[index], equal_part)
        rows_left -= shares[index]
        states_left -= 1
    return shares
