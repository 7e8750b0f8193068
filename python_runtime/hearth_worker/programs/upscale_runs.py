"""How often an upscaler runs for a factor, and how far a pixel then reaches."""

from math import ceil

from hearth_worker.failures import InvalidRequest


def runs_needed(factor: int, run_factor: int) -> int:
    """Raises InvalidRequest for what is no power of a run's own factor."""
    runs = 1
    while run_factor**runs < factor:
        runs += 1
    if run_factor**runs != factor:
        raise InvalidRequest(
            f"The upscaler makes pictures {run_factor} times larger, or that repeatedly; not {factor}."
        )
    return runs


def reach_of(runs: int, run_factor: int, overlap: int) -> int:
    """How many pixels of the given picture around one count for its result, if `overlap` do so in each run."""
    reach = 0.0
    for _ in range(runs):
        reach = reach / run_factor + overlap
    return ceil(reach)
