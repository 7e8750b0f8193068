"""Entries of STEPS: what became of tasks (PROTOCOL.md section 4)."""

from typing import Any, Literal

from msgspec import Struct

from hearth_worker.failures import FailureCode
from hearth_worker.protocol.numbers import Count

Unit = Literal["steps", "tokens", "items"]


class Entry(Struct, rename="camel", tag_field="kind", frozen=True, omit_defaults=True):
    """Base of all entries; each is about one task."""

    task: Count


class StartedEntry(Entry, tag="started", frozen=True):
    """The task's state exists, its first step begins."""


class StepEntry(Entry, tag="step", frozen=True, kw_only=True):
    """How far the task is; the newest wins."""

    done: Count
    total: Count | None = None
    unit: Unit


class TextEntry(Entry, tag="text", frozen=True):
    """The next piece of a text; pieces are joined in order."""

    item: Count
    text: str


class PreviewEntry(Entry, tag="preview", frozen=True):
    """How a picture looks after `step` steps: the bytes of its file."""

    step: Count
    mime_type: str
    picture: bytes


class DoneEntry(Entry, tag="done", frozen=True):
    """The program's output; spans and tensors inside refer to the frame's payload. One that is held stays here: then
    `output` is empty, and `held_bytes` is what the real one takes."""

    output: Any
    steps_run: Count
    held_bytes: Count = 0


class FailedEntry(Entry, tag="failed", frozen=True):
    """The task ended without a result; `retryable` is the worker's opinion."""

    code: FailureCode
    message: str
    retryable: bool


class CancelledEntry(Entry, tag="cancelled", frozen=True, kw_only=True):
    """The state was dropped; `output` is what a cancelled job keeps."""

    output: Any = None
    steps_run: Count


class WithdrawnEntry(Entry, tag="withdrawn", frozen=True):
    """Given back before it had started."""


class PausedEntry(Entry, tag="paused", frozen=True):
    """Left out of steps; its state is kept."""

    state_bytes: Count


AnyEntry = (
    StartedEntry
    | StepEntry
    | TextEntry
    | PreviewEntry
    | DoneEntry
    | FailedEntry
    | CancelledEntry
    | WithdrawnEntry
    | PausedEntry
)
