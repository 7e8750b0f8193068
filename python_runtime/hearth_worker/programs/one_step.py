"""Programs that answer a request in one step, each on its own: the shortest way to write one."""

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from hearth_worker.engines.engine import LoadedModel
from hearth_worker.programs.outcomes import Done
from hearth_worker.programs.program import Program, Promise

Request = TypeVar("Request")
Output = TypeVar("Output")


class OneStep(Program[Request, Request, Output], Generic[Request, Output]):
    """Derive, set `request_type` to a msgspec Struct, and write `run`. What it raises fails only its own task:
    InvalidRequest as the fault of the request, anything else as the program's."""

    promise: ClassVar[Promise] = "bitwise"

    def __init__(self, model: LoadedModel, components: Sequence[str]) -> None:
        """Made once per loaded model."""
        self.model: Any = model
        self.components = components

    def run(self, request: Request) -> Output:
        """The task's whole work."""
        raise NotImplementedError

    def start(self, request: Request) -> Request:
        return request

    def batch_key(self, state: Request) -> Hashable:
        """Unlike any other: nothing is gained by company."""
        return id(state)

    def step(self, states: Sequence[Request]) -> list[Done[Output]]:
        return [Done(self.run(state)) for state in states]
