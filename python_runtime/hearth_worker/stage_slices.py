"""Which stage goes first now: inference and postprocessing share a worker's time by slices (PROTOCOL.md section 16).

Pure. Only contested time is counted, in which both had something to do, so a slice may last longer on the clock.
"""

from hearth_worker.protocol.requests import Stage

SLICE_MS = 100.0


class StageSlices:
    """The account of the slice that is under way."""

    def __init__(self) -> None:
        # Of each slice, from 0 to 1; None: nobody has said so yet.
        self.inference_share: float | None = None
        self._computed_ms: dict[Stage, float] = {"inference": 0.0, "postprocessing": 0.0}

    @property
    def first(self) -> Stage | None:
        """Whose turn it is; None while stages do not matter."""
        if self.inference_share is None:
            return None
        due_ms = self._due_ms(self.inference_share)
        return "inference" if self._computed_ms["inference"] < due_ms["inference"] else "postprocessing"

    def computed(self, stage: Stage, ms: float, *, is_contested: bool) -> None:
        """A step of this stage took so long. Contested: the other stage had something to do as well."""
        if self.inference_share is None or not is_contested:
            # Nobody waited for the other: nothing is owed, and nothing is saved up.
            self._computed_ms = {"inference": 0.0, "postprocessing": 0.0}
            return
        self._computed_ms[stage] += ms
        due_ms = self._due_ms(self.inference_share)
        # What a stage has had too much is taken off its next slices.
        while all(self._computed_ms[each] >= due_ms[each] for each in due_ms):
            for each in due_ms:
                self._computed_ms[each] -= due_ms[each]

    def _due_ms(self, share: float) -> dict[Stage, float]:
        return {"inference": share * SLICE_MS, "postprocessing": (1 - share) * SLICE_MS}
