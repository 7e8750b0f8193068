"""Entries to STEPS frames of bounded size (PROTOCOL.md section 6)."""

import logging
from collections.abc import Iterator, Sequence

from hearth_worker.failures import sendable
from hearth_worker.large_tensors import LargeTensors
from hearth_worker.protocol.codec import encode_with_payload
from hearth_worker.protocol.entries import AnyEntry, CancelledEntry, FailedEntry
from hearth_worker.protocol.frame import META_BYTES_MAX
from hearth_worker.protocol.reports import Steps

REPORT_BYTES_MAX = 1024 * 1024

logger = logging.getLogger(__name__)


def entry_frames(
    entries: Sequence[AnyEntry], progress: int, large: LargeTensors
) -> Iterator[tuple[int, bytes, bytes | memoryview]]:
    """Type, metadata and payload of the frames that the entries leave in, in order; chunks go before the frame that
    refers to them.

    An output that no frame can carry fails its task; a cancelled one ends without it.
    """
    try:
        meta, payload = encode_with_payload(Steps(list(entries), progress), large.place)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        # Something that is no plain value: found by halving, as what is too large is.
        large.undo()
        yield from _halves(entries, progress, large, str(error))
        return
    meta_bytes_max = META_BYTES_MAX if len(entries) == 1 else REPORT_BYTES_MAX
    if len(meta) <= meta_bytes_max:
        yield from large.before_frame()
        yield Steps.type, meta, payload.join()
    else:
        large.undo()
        reason = f"beside its tensors it takes {len(meta)} bytes; {META_BYTES_MAX} are possible"
        yield from _halves(entries, progress, large, reason)


def _halves(
    entries: Sequence[AnyEntry], progress: int, large: LargeTensors, reason: str
) -> Iterator[tuple[int, bytes, bytes | memoryview]]:
    if len(entries) == 1:
        yield from entry_frames([_without_output(entries[0], reason)], progress, large)
        return
    half = len(entries) // 2
    yield from entry_frames(entries[:half], progress, large)
    yield from entry_frames(entries[half:], progress, large)


def _without_output(entry: AnyEntry, reason: str) -> AnyEntry:
    if isinstance(entry, CancelledEntry):
        logger.error("Task %d is cancelled without what it should keep, which cannot be sent: %s.", entry.task, reason)
        return CancelledEntry(entry.task, steps_run=entry.steps_run)
    return FailedEntry(entry.task, "engine_error", f"The output cannot be sent: {sendable(reason)}.", retryable=False)
