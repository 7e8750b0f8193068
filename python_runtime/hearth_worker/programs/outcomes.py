"""What a step made of one state."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from hearth_worker.failures import FailureCode
from hearth_worker.protocol.entries import Unit

State = TypeVar("State")
Output_co = TypeVar("Output_co", covariant=True)


class Progress(Struct, frozen=True):
    """How far a task is, in its own unit; `total` is None where nobody knows."""

    done: int
    total: int | None
    unit: Unit


class Piece(Struct, frozen=True):
    """The next piece of text number `item` of a task."""

    text: str
    item: int = 0


class Preview(Struct, frozen=True):
    """What a picture is becoming: an encoded file, as after `step` steps."""

    step: int
    mime_type: str
    data: bytes


class Advanced(Struct, Generic[State], frozen=True):
    """The state goes on; what the user may see of it leaves now. `items` wait where credit is short."""

    state: State
    progress: Progress | None = None
    pieces: Sequence[Piece] = ()
    items: Sequence[object] = ()
    preview: Preview | None = None


class Done(Struct, Generic[Output_co], frozen=True):
    """The task has its output: a map of plain values, in which tensors may stand anywhere."""

    output: Output_co
    progress: Progress | None = None
    pieces: Sequence[Piece] = ()
    items: Sequence[object] = ()
    preview: Preview | None = None


class Failed(Struct, frozen=True):
    """The task cannot go on. The message is for the person who made the request."""

    code: FailureCode
    message: str
    retryable: bool = False
