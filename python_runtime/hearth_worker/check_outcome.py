"""What a program says of its step is checked before any of it is shown: programs are third parties.

The server takes a frame that breaks PROTOCOL.md for a broken worker, and everybody's reports in it are lost; so what
is wrong here is the failure of this one task.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, get_args

from msgspec import Struct

from hearth_worker.failures import FailureCode, words_of
from hearth_worker.programs.outcomes import Advanced, Done, Failed, Piece, Preview, Progress
from hearth_worker.protocol.entries import Unit
from hearth_worker.protocol.frame import META_BYTES_MAX
from hearth_worker.protocol.numbers import COUNT_MAX
from hearth_worker.protocol.tensors import ITEM_BYTES, REFERENCES, TENSOR_BYTES_MAX, Tensor, is_tensor_map

Outcome = Advanced[Any] | Done[Any] | Failed

UNITS = get_args(Unit)
FAILURE_CODES = get_args(FailureCode)
PLAIN = frozenset((type(None), bool, int, float, str, bytes))
# Levels of lists and maps below an output or an item.
DEPTH_MAX = 64
# Leaves room for the rest of the entry that carries it.
PIECE_BYTES_MAX = META_BYTES_MAX - 1024


class Unsendable(Exception):  # noqa: N818
    """A program's outcome is not what PROTOCOL.md allows, in words that end without a full stop."""


def checked(outcome: object, *, is_held: bool = False) -> Outcome:
    """The outcome, or the failure that it is. An output that is held may be anything: it is not sent."""
    try:
        return _checked(outcome, is_held=is_held)
    except Unsendable as error:
        return Failed("engine_error", f"The program's outcome cannot be sent: {error}.")
    except Exception as error:  # Its values run code of their own when they are looked at.
        return Failed("engine_error", f"The program's outcome cannot be read: {words_of(error)}.")


def check_output(output: object) -> None:
    """Raises Unsendable for an output that is no map of plain values and tensors."""
    if not isinstance(output, dict) and not _is_map_struct(output):
        raise Unsendable(f"an output is a map, not a {_kind(output)}")
    _check_value(output, 0)


def _checked(outcome: object, *, is_held: bool) -> Outcome:
    if isinstance(outcome, Failed):
        _check_failure(outcome)
        return outcome
    if not isinstance(outcome, Advanced | Done):
        raise Unsendable(f"an outcome is Advanced, Done or Failed, not a {_kind(outcome)}")
    _check_shown(outcome)
    if isinstance(outcome, Done) and not is_held:
        check_output(outcome.output)
    return outcome


def _check_failure(failure: Any) -> None:
    if failure.code not in FAILURE_CODES:
        raise Unsendable(f"a failure's code is one of {', '.join(FAILURE_CODES)}, not {failure.code!r}")
    if not isinstance(failure.message, str) or not isinstance(failure.retryable, bool):
        raise Unsendable("a failure has a message of text and is retryable or not")


def _check_shown(outcome: Advanced[Any] | Done[Any]) -> None:
    if outcome.progress is not None:
        _check_progress(outcome.progress)
    for piece in outcome.pieces:
        _check_piece(piece)
    if outcome.preview is not None:
        _check_preview(outcome.preview)
    if not isinstance(outcome.items, Sequence):
        raise Unsendable(f"items are a sequence, not a {_kind(outcome.items)}")
    if not isinstance(outcome.items, range):
        _check_values(outcome.items, 0)


def _check_progress(progress: Any) -> None:
    if not isinstance(progress, Progress):
        raise Unsendable(f"progress is a Progress, not a {_kind(progress)}")
    if not _is_count(progress.done) or not (progress.total is None or _is_count(progress.total)):
        raise Unsendable(f"progress is counted in whole numbers from 0, not {progress.done!r} of {progress.total!r}")
    if progress.unit not in UNITS:
        raise Unsendable(f"progress is counted in {', '.join(UNITS)}, not {progress.unit!r}")


def _check_piece(piece: Any) -> None:
    if not isinstance(piece, Piece) or not _is_text(piece.text) or not _is_count(piece.item):
        raise Unsendable(f"a piece is text and the number of its item, not {piece!r}")
    try:
        size_bytes = len(piece.text.encode())
    except UnicodeEncodeError as error:
        raise Unsendable(f"a piece of text is not Unicode: {error}") from error
    if size_bytes > PIECE_BYTES_MAX:
        raise Unsendable(f"a piece of text takes {size_bytes} bytes; {PIECE_BYTES_MAX} are possible")


def _check_preview(preview: Any) -> None:
    if not isinstance(preview, Preview):
        raise Unsendable(f"a preview is a Preview, not a {_kind(preview)}")
    if not _is_count(preview.step) or not _is_text(preview.mime_type) or not isinstance(preview.data, bytes):
        raise Unsendable("a preview has a number of steps, a MIME type and the bytes of a file")
    preview.mime_type.encode()


def _check_values(values: Sequence[object], depth: int) -> None:
    if PLAIN.issuperset(map(type, values)):
        return
    for value in values:
        _check_value(value, depth)


def _check_value(value: object, depth: int) -> None:
    if depth > DEPTH_MAX and type(value) not in PLAIN:
        raise Unsendable(f"an output or item may not be nested deeper than {DEPTH_MAX} levels")
    if isinstance(value, Tensor):
        _check_tensor(value)
    elif isinstance(value, dict):
        _check_map(value, depth)
    elif isinstance(value, list | tuple):
        _check_values(value, depth + 1)
    elif isinstance(value, Struct) and _is_map_struct(value):
        names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        _check_map({encoded: getattr(value, name) for encoded, name in names}, depth)
    elif type(value) not in PLAIN:
        raise Unsendable(f"a {_kind(value)} is no plain value")


def _check_map(fields: Mapping[object, object], depth: int) -> None:
    for name in fields:
        if type(name) is not str:
            raise Unsendable(f"the keys of a map are texts, not {name!r}")
    if is_tensor_map(fields):
        # On the wire it could not be told from a tensor.
        reference = next(name for name in REFERENCES if name in fields)
        raise Unsendable(f"outputs may not contain a map with the keys dtype, shape and {reference}")
    for value in fields.values():
        _check_value(value, depth + 1)


def _check_tensor(tensor: Tensor) -> None:
    what = f"{tensor.dtype} tensor of shape {tensor.shape}"
    if tensor.dtype not in ITEM_BYTES or not all(map(_is_count, tensor.shape)):
        raise Unsendable(f"there is no {what}")
    try:
        size_bytes = tensor.bytes().nbytes
    except (TypeError, ValueError) as error:
        raise Unsendable(f"a tensor's data are contiguous bytes, not this {_kind(tensor.data)}: {error}") from error
    expected_bytes = ITEM_BYTES[tensor.dtype] * prod(tensor.shape)
    if size_bytes != expected_bytes:
        raise Unsendable(f"a {what} takes {expected_bytes} bytes, not {size_bytes}")
    if size_bytes > TENSOR_BYTES_MAX:
        raise Unsendable(f"a {what} takes {size_bytes} bytes; {TENSOR_BYTES_MAX} are possible")


def _is_map_struct(value: object) -> bool:
    return isinstance(value, Struct) and not value.__struct_config__.array_like


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= COUNT_MAX


def _is_text(value: object) -> bool:
    return type(value) is str


def _kind(value: object) -> str:
    return type(value).__name__
