"""Outputs that stay in the worker for the tasks that come after (PROTOCOL.md section 11): what is handed on is a
reference, not a copy.
"""

from collections.abc import Mapping

from msgspec import Struct

from hearth_worker.failures import InputMissing, staying_alive
from hearth_worker.protocol.numbers import COUNT_MAX
from hearth_worker.protocol.tensors import Tensor

# Of lists, maps and structs below an output; what lies deeper is not counted.
DEPTH_MAX = 64


class HeldOutput(Struct, frozen=True):
    """As its program made it."""

    model: int
    output: object


class HeldOutputs:
    """By the number of the task whose output it is."""

    def __init__(self) -> None:
        self._outputs: dict[int, HeldOutput] = {}

    def keep(self, task: int, model: int, output: object) -> int:
        """Until it is dropped, in place of what was held of the task before. Returns what it takes, in bytes.

        Raises whatever an output of third parties raises when it is measured; then it is not kept.
        """
        with staying_alive():
            held_bytes = size_bytes(output)
        self._outputs[task] = HeldOutput(model, output)
        return held_bytes

    def take(self, inputs: Mapping[str, int]) -> dict[str, object]:
        """By name, the outputs of these tasks; they stay held as well. Raises InputMissing."""
        return {name: self._output(name, task) for name, task in inputs.items()}

    def drop(self, task: int) -> None:
        """Nobody will take it any more; one that is not held is not missed."""
        self._outputs.pop(task, None)

    def drop_of_model(self, model: int) -> None:
        """The model leaves, and with it what its tasks have made."""
        self._outputs = {task: held for task, held in self._outputs.items() if held.model != model}

    def drop_all(self) -> None:
        """The worker ends."""
        self._outputs.clear()

    def __len__(self) -> int:
        return len(self._outputs)

    def _output(self, name: str, task: int) -> object:
        held = self._outputs.get(task)
        if held is None:
            raise InputMissing(f"The output of task {task}, to be taken as {name!r}, is not held in this worker.")
        return held.output


def size_bytes(output: object) -> int:
    """Of the arrays, tensors and binaries in an output, each counted once; the rest is small."""
    return min(_size_bytes(output, 0, {}), COUNT_MAX)


def _size_bytes(value: object, depth: int, seen: dict[int, object]) -> int:
    """`seen` holds what it names, so that no number comes again as another object's."""
    if depth > DEPTH_MAX or id(value) in seen:
        return 0
    seen[id(value)] = value
    if isinstance(value, bytes | bytearray):
        return len(value)
    if isinstance(value, Tensor):
        return _size_bytes(value.data, depth, seen)
    parts: list[object] = []
    if isinstance(value, Mapping):
        parts = list(value.values())
    elif isinstance(value, list | tuple):
        parts = list(value)
    elif isinstance(value, Struct):
        parts = [getattr(value, name) for name in value.__struct_fields__]
    else:
        nbytes: object = getattr(value, "nbytes", None)
        return max(nbytes, 0) if isinstance(nbytes, int) else 0
    return sum(_size_bytes(part, depth + 1, seen) for part in parts)
