"""Programs of third parties that make mistakes, each another one; and one that thinks between its steps."""

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from hearth_worker.engines.engine import LoadedModel
from hearth_worker.programs.outcomes import Advanced
from hearth_worker.programs.program import Program, Promise


class AnyRequest(Struct, frozen=True):
    """What the program is to do, where it can do several things."""

    what: str = ""


class ThinkForEver(Program[AnyRequest, bool, dict[str, Any]]):
    """After its first step the engine computes, without an end."""

    promise: ClassVar[Promise] = "bitwise"
    request_type: ClassVar[type] = AnyRequest

    def __init__(self, model: LoadedModel, components: Sequence[str]) -> None:
        self.seats: int | None = 4

    def start(self, request: AnyRequest) -> bool:
        return False

    def batch_key(self, state: bool) -> Hashable:
        return None

    def ready(self, state: bool) -> bool:
        return not state

    def step(self, states: Sequence[bool]) -> list[Advanced[bool]]:
        return [Advanced(True) for _ in states]
