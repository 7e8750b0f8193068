"""Whether this worker may begin steps on its device (PROTOCOL.md section 14)."""


class Lease:
    """A worker begins with it."""

    def __init__(self) -> None:
        self.is_held = True
        # When the newest step began and ended, in milliseconds.
        self._last_step = (0.0, 0.0)

    def step_ended(self, began_at: float, ended_at: float) -> None:
        """A step is over."""
        self._last_step = (began_at, ended_at)

    def step_ms_at(self, at: float) -> float:
        """How long the step took that ran at that time, which lies behind us; 0 if none did."""
        began_at, ended_at = self._last_step
        return ended_at - began_at if began_at <= at <= ended_at else 0.0
