"""When a preview is worth making: what previews cost stays a small part of what the picture costs."""

from msgspec import Struct

# Of the time of a picture's steps. It is to stay below 15 %: the rest is for what measurements miss.
COST_SHARE_MAX = 0.12
# Weight of the newest measurement: one that others' work on the machine disturbed is soon outweighed.
NEWEST_WEIGHT = 0.25


class PreviewsMade(Struct, frozen=True):
    """Of one picture: how many were begun, and after how many steps the last was that was not interrupted."""

    count: int = 0
    last_step: int = 0
    # One could not be made: no other is tried.
    has_failed: bool = False


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

    Never after the last step: the picture itself comes then. The first comes at the step that was asked for if all
    steps together pay for it, and not at all if they do not: of their time previews may take COST_SHARE_MAX. Each
    further one has to be paid by the steps so far; so where one costs much, they come at longer intervals. The one
    exception: until a program's first preview is measured, they count as costing nothing.
    """
    if made.has_failed or done >= steps or done < made.last_step + every:
        return False
    paying_steps = steps if made.count == 0 else done
    return (made.count + 1) * (preview_ms or 0.0) <= COST_SHARE_MAX * paying_steps * step_ms
