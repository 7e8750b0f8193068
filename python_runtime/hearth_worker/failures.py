"""How a task can fail, and the two failures that programs and engines raise."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

FailureCode = Literal[
    "out_of_memory",
    "engine_error",
    "deadline_exceeded",
    "invalid_request",
    "stale_model",
    "artifact_missing",
    "input_missing",
]


# Messages of libraries may be long; what is told of them is not.
WORDS_CHARACTERS_MAX = 2000
MESSAGE_CHARACTERS_MAX = 4000


def words_of(error: BaseException) -> str:
    """What an exception says, or what it is when it says nothing."""
    return sendable((str(error) or type(error).__name__)[:WORDS_CHARACTERS_MAX])


def sendable(text: str) -> str:
    """Text as UTF-8 can carry it: names of files, for one, may hold halves of characters."""
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def staying_alive() -> Iterator[None]:
    """Around what third parties wrote: libraries made for commands end the process over what displeases them, but a
    worker has others to serve. Raises RuntimeError instead."""
    try:
        yield
    except SystemExit as error:
        raise RuntimeError(f"SystemExit: {error.code}") from error


class OutOfMemory(Exception):  # noqa: N818  (it is the name of the condition, as in MemoryError's documentation)
    """A step did not fit into memory. No state has moved; fewer states may fit."""


class InvalidRequest(Exception):  # noqa: N818
    """The request cannot be run by this model, in words for the person who made it."""


class LoadFailed(Exception):  # noqa: N818
    """A model cannot be loaded as it is, in words for the person who runs the server."""


class StaleModel(Exception):  # noqa: N818
    """A file of a loaded model has changed under it: nothing computed since can be shown."""


class InputMissing(Exception):  # noqa: N818
    """An output of an earlier task, which this one was to take, is not held in this worker."""


class Interrupted(Exception):  # noqa: N818
    """A step was ended early, as asked. No state has moved; the step will be run again."""


class ArtifactMissing(Exception):  # noqa: N818
    """A file that the request refers to is no longer there."""
