"""How long steps of a program last that does not say so itself: as they did of late, by their number of states."""

# Of the longest step seen, how much is still expected after one shorter step.
LONGEST_DECAY = 0.9


class StepLengths:
    """In milliseconds. Steps of as many states differ too, so the longest of late counts, not the mean."""

    def __init__(self) -> None:
        self._longest: dict[int, float] = {}

    def learn(self, states: int, step_ms: float) -> None:
        """A step of so many states took so long."""
        self._longest[states] = max(step_ms, self._longest.get(states, 0.0) * LONGEST_DECAY)

    def expected_ms(self, states: int) -> float | None:
        """None before the first step. Where none had so many, in proportion to those that came closest."""
        if not self._longest:
            return None
        closest = min(self._longest, key=lambda known: abs(known - states))
        return self._longest[closest] * states / closest
