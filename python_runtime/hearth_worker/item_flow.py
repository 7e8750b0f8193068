"""Flow control of partial items: what a task has emitted leaves as credit allows (PROTOCOL.md section 7)."""

from collections.abc import Iterator, Sequence

from hearth_worker.protocol.codec import encode_with_payload
from hearth_worker.protocol.frame import PAYLOAD_BYTES_MAX
from hearth_worker.protocol.reports import Partial

PARTIAL_ITEMS_MAX = 4096
PARTIAL_BYTES_MAX = 256 * 1024


class ItemFlow:
    """The items of one task on their way out. At most what one step emitted is held here."""

    def __init__(self, task: int, credit: int) -> None:
        self._task = task
        self.credit = credit
        # Beyond the credit; the task is not ready while there are any.
        self._held: list[object] = []
        # Within the credit, not sent yet.
        self._granted: list[object] = []
        self._has_sent = False

    @property
    def is_held(self) -> bool:
        """Items wait for credit."""
        return bool(self._held)

    @property
    def has_granted(self) -> bool:
        """Items may leave."""
        return bool(self._granted)

    @property
    def is_blocked(self) -> bool:
        """The task must not emit more."""
        return self.credit == 0 or bool(self._held)

    @property
    def is_urgent(self) -> bool:
        """What is granted should leave now: it is the first, a frame full, or all that the credit allows."""
        granted = len(self._granted)
        return granted > 0 and (not self._has_sent or granted >= PARTIAL_ITEMS_MAX or self.credit == 0)

    def emit(self, items: Sequence[object]) -> None:
        """Adds what a step emitted. Raises TypeError or ValueError, adding nothing, if no frame can carry it."""
        emitted = list(items)
        if _size_bytes(self._task, emitted) > PAYLOAD_BYTES_MAX:
            for item in emitted:
                if (size_bytes := _size_bytes(self._task, [item])) > PAYLOAD_BYTES_MAX:
                    raise ValueError(f"an item takes {size_bytes} bytes; {PAYLOAD_BYTES_MAX} are possible")
        self._held += emitted
        self._grant()

    def give(self, credit: int) -> None:
        """Adds credit."""
        self.credit += credit
        self._grant()

    def frames(self) -> Iterator[tuple[bytes, bytes]]:
        """Metadata and payload of the PARTIAL frames that everything granted leaves in."""
        granted, self._granted = self._granted, []
        self._has_sent = self._has_sent or bool(granted)
        unsent = len(granted)
        while unsent:
            start = len(granted) - unsent
            count = min(unsent, PARTIAL_ITEMS_MAX)
            while True:
                left = self.credit + unsent - count
                meta, payload = encode_with_payload(Partial(self._task, granted[start : start + count], left))
                if len(meta) + payload.size_bytes <= PARTIAL_BYTES_MAX or count == 1:
                    break
                count = (count + 1) // 2
            yield meta, payload.join()
            unsent -= count

    def _grant(self) -> None:
        granted = self._held[: self.credit]
        self._granted += granted
        del self._held[: len(granted)]
        self.credit -= len(granted)


def _size_bytes(task: int, items: list[object]) -> int:
    meta, payload = encode_with_payload(Partial(task, items, 0))
    return len(meta) + payload.size_bytes
