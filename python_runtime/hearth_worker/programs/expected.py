"""In place of a program whose components are still being loaded."""

from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar

from hearth_worker.programs.outcomes import Advanced
from hearth_worker.programs.program import Program, Promise

# What the task has taken.
Inputs = Mapping[str, object]


class Expected(Program[None, Inputs, None]):
    """Its tasks have nothing but their inputs yet, and are never ready: they can be withdrawn, cancelled, paused, and
    be too late."""

    promise: ClassVar[Promise] = "bitwise"
    request_type: ClassVar[type] = type(None)

    def start(self, request: None) -> Inputs:  # noqa: ARG002
        return {}

    def batch_key(self, state: Inputs) -> Hashable:  # noqa: ARG002
        return None

    def ready(self, state: Inputs) -> bool:  # noqa: ARG002
        return False

    def step(self, states: Sequence[Inputs]) -> Sequence[Advanced[Inputs]]:  # noqa: ARG002
        raise AssertionError("a program that is not there yet has no steps")
