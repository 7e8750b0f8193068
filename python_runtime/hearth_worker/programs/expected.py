"""In place of a program whose components are still being loaded."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from hearth_worker.programs.outcomes import Advanced
from hearth_worker.programs.program import Program, Promise


class Expected(Program[None, None, None]):
    """Its tasks have no states yet, and are never ready: they can be withdrawn, cancelled, paused, and be too late."""

    promise: ClassVar[Promise] = "bitwise"
    request_type: ClassVar[type] = type(None)

    def start(self, request: None) -> None:
        """Nothing to begin with."""

    def batch_key(self, state: None) -> Hashable:  # noqa: ARG002
        return None

    def ready(self, state: None) -> bool:  # noqa: ARG002
        return False

    def step(self, states: Sequence[None]) -> Sequence[Advanced[None]]:  # noqa: ARG002
        raise AssertionError("a program that is not there yet has no steps")
