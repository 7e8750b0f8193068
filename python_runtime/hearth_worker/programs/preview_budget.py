"""When a preview is worth making: what previews cost stays a small part of what the picture costs."""

from msgspec import Struct

# Of the time of a picture's steps. It is to stay below 15 %: the rest is for what measurements miss.
COST_SHARE_MAX = 0.12
# How many times what the whole picture earns the first preview may cost: whoever asked wants to see something.
CREDIT = 2.0
# Weight of the newest measurement: one that others' work on the machine disturbed is soon outweighed.
NEWEST_WEIGHT = 0.25


class PreviewsMade(Struct, frozen=True):
    """Of one picture: how many, and after how many steps the last was."""

    count: int = 0
    last_step: int = 0


class MeasuredMs(Struct):
    """A running mean, in milliseconds; None until the first measurement."""

    value: float | None = None

    def add(self, ms: float) -> None:
        """One more."""
        self.value = ms if self.value is None else self.value + NEWEST_WEIGHT * (ms - self.value)


def is_preview_due(
    made: PreviewsMade, done: int, steps: int, every: int, step_ms: float, preview_ms: float | None
) -> bool:
    """Whether a picture of `steps` steps, of which `done` are done, gets a preview now; `every` steps are asked for.

    Never after the last step: the picture itself comes then. A preview has to be paid by the steps so far, of whose
    time previews may take COST_SHARE_MAX; so where one costs much, they come at longer intervals. Only the first comes
    on credit, at the step that was asked for, and not at all where all steps together earn less than half of it. What
    nobody has measured yet costs nothing.
    """
    if done >= steps or done < made.last_step + every:
        return False
    cost_ms = (made.count + 1) * (preview_ms or 0.0)
    if made.count == 0:
        return cost_ms <= CREDIT * COST_SHARE_MAX * steps * step_ms
    return cost_ms <= COST_SHARE_MAX * done * step_ms
