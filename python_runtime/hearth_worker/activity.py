"""What the reader thread tells the server about the step loop without disturbing it."""


class Activity:
    """Written by the main thread, read by the reader thread; single fields only, so no lock is needed."""

    def __init__(self) -> None:
        # Finished steps of any kind since the start.
        self.progress = 0
        # A step or a load runs that may last longer than 10 ms: the loop will not acknowledge frames meanwhile.
        self.is_in_long_step = False
        # A step runs.
        self.is_stepping = False
        # How long the running step waits for something outside, as its program says; None = it does not.
        self.declared_step_ms: int | None = None
        # States that an engine computes on between steps; kept by Tasks, for they end without steps as well.
        self.tasks_in_engine = 0

    @property
    def is_busy(self) -> bool:
        """Something is computing."""
        return self.is_stepping or self.tasks_in_engine > 0
