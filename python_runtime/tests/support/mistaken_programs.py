"""Programs of third parties that make mistakes, each another one; and one that thinks between its steps."""

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any, ClassVar, cast

from msgspec import Struct

from hearth_worker.engines.engine import LoadedModel
from hearth_worker.failures import Interrupted
from hearth_worker.programs.outcomes import Advanced, Done, Failed, Piece, Progress
from hearth_worker.programs.program import Program, Promise
from hearth_worker.protocol.tensors import Tensor


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


class Mistaken(Program[AnyRequest, str, Any]):
    """Its state is the mistake that it is to make; none: it does what it should."""

    promise: ClassVar[Promise] = "bitwise"
    request_type: ClassVar[type] = AnyRequest

    def __init__(self, model: LoadedModel, components: Sequence[str]) -> None: ...

    def start(self, request: AnyRequest) -> str:
        return request.what

    def batch_key(self, state: str) -> Hashable:
        return cast("Hashable", []) if state == "batch_key" else None

    def ready(self, state: str) -> bool:
        if state == "ready":
            raise KeyError("not ready to say")
        return True

    def expected_step_ms(self, states: Sequence[str]) -> float | None:
        if "expected_step_ms" in states:
            raise KeyError("nobody knows")
        return None

    def keep(self, state: str) -> Any:
        return {"value": object()} if state == "keep" else "no map" if state == "keep_text" else None

    def release(self, state: str) -> None:
        if state == "release":
            raise KeyError("kept for ever")

    def step(self, states: Sequence[str]) -> Sequence[Any]:
        if "interrupted" in states:
            raise Interrupted("as I like")
        return cast("Sequence[Any]", None) if "nothing" in states else [self._outcome(state) for state in states]

    def _outcome(self, state: str) -> Any:
        if state.startswith("keep") or state == "goes_on":
            return Advanced(state, Progress(1, None, "steps"))
        if state == "key_later":
            return Advanced("batch_key")
        return WRONG_OUTCOMES.get(state, Done({"is": "fine"}))


WRONG_OUTCOMES: dict[str, Any] = {
    "no_outcome": None,
    "no_map": Done([1]),
    "number_key": Done({1: 2}),
    "no_data": Done({"v": Tensor("float64", [2], b"1234")}),
    "no_dtype": Done({"v": Tensor("object", [1], b"1234")}),
    "datetime": Done({"at": datetime(2026, 1, 1, tzinfo=UTC)}),
    "set": Done({"v": [{1, 2}]}),
    "like_a_tensor": Done({"v": [{"dtype": "x", "shape": [1], "span": {"offset": 0, "length": 4}}]}),
    "surrogate_in_output": Done({"v": "\ud800"}),
    "too_deep": Done({"v": reduce(lambda inner, _: [inner], range(64), cast("Any", []))}),
    "too_large_number": Done({"v": 2**70}),
    "negative_progress": Advanced("", Progress(-1, None, "steps")),
    "fraction_of_progress": Advanced("", Progress(cast("int", 0.5), None, "steps")),
    "unknown_unit": Advanced("", Progress(1, None, cast("Any", "metres"))),
    "surrogate_in_piece": Advanced("", pieces=[Piece("\ud800")]),
    "datetime_item": Advanced("", items=[1, datetime(2026, 1, 1, tzinfo=UTC)]),
    "tensor_like_item": Advanced("", items=[{"dtype": 1, "shape": 2, "span": 3}]),
    "unknown_code": Failed(cast("Any", "oops"), "a failure"),
    "surrogate_in_message": Failed("engine_error", "no file \udcff"),
}
