"""The one clock of a worker."""

from time import monotonic_ns


def now_ms() -> float:
    """Milliseconds since some moment in the past; never goes back."""
    return monotonic_ns() / 1e6
