"""Shared memory that the server has granted: mapped, filled, sent, and free again when it has been read."""

import mmap
import os
from collections.abc import Iterable, Sequence
from threading import Lock

from msgspec import Struct

from hearth_worker.protocol.requests import Slab, SlabReference
from hearth_worker.protocol.tensors import SlabSpan

# Where a tensor begins, so that any vector instruction may read it in place.
ALIGNMENT_BYTES = 64


class MappedSlab(Struct):
    """One slab; `used_bytes` belong to the frame that is being made."""

    number: int
    generation: int
    memory: mmap.mmap
    size_bytes: int
    used_bytes: int = 0
    # A frame has taken it away; the server reads it.
    is_sent: bool = False

    def has_room(self, size_bytes: int) -> bool:
        """Whether that much fits behind what the frame has placed."""
        return not self.is_sent and _aligned(self.used_bytes) + size_bytes <= self.size_bytes


class Slabs:
    """Those of this worker. The reader thread adds and gives back, the step loop fills and drops."""

    def __init__(self) -> None:
        self._lock = Lock()
        # Smallest first.
        self._slabs: list[MappedSlab] = []

    def add(self, granted: Iterable[Slab]) -> list[SlabReference]:
        """Maps what was granted; returns what cannot be mapped here."""
        failed: list[SlabReference] = []
        for slab in granted:
            try:
                memory = _mapped(slab.path, slab.size_bytes)
            except (OSError, ValueError):
                failed.append(SlabReference(slab.slab_id, slab.generation))
                continue
            with self._lock:
                self._slabs.append(MappedSlab(slab.slab_id, slab.generation, memory, slab.size_bytes))
                self._slabs.sort(key=lambda mapped: mapped.size_bytes)
        return failed

    def give_back(self, read: Sequence[SlabReference]) -> None:
        """The server has read them; from now on they have these generations."""
        generations = {reference.slab_id: reference.generation for reference in read}
        with self._lock:
            for slab in self._slabs:
                if slab.is_sent and slab.number in generations:
                    slab.generation = generations[slab.number]
                    slab.is_sent = False

    def drop(self, recalled: Sequence[SlabReference]) -> list[SlabReference]:
        """Lets go of those that are here and not sent, and says which. Not while a frame is being made."""
        wanted = {(reference.slab_id, reference.generation) for reference in recalled}
        with self._lock:
            dropped = [slab for slab in self._slabs if not slab.is_sent and (slab.number, slab.generation) in wanted]
            numbers = {slab.number for slab in dropped}
            self._slabs = [slab for slab in self._slabs if slab.number not in numbers]
        for slab in dropped:
            slab.memory.close()
        return [SlabReference(slab.number, slab.generation) for slab in dropped]

    def place(self, data: memoryview) -> SlabSpan | None:
        """Copies the bytes into a slab of the frame that is being made; None if there is no room now."""
        with self._lock:
            slab = self._with_room(data.nbytes)
            if slab is None:
                return None
            offset = _aligned(slab.used_bytes)
            slab.used_bytes = offset + data.nbytes
        # The reader does not touch a slab that is not sent, so the copy needs no lock.
        slab.memory[offset : offset + data.nbytes] = data
        return SlabSpan(slab.number, slab.generation, offset, data.nbytes)

    def send(self) -> None:
        """The frame is complete: what it used is the server's."""
        with self._lock:
            for slab in self._slabs:
                if slab.used_bytes > 0:
                    slab.used_bytes = 0
                    slab.is_sent = True

    def undo(self) -> None:
        """There will be no such frame: what it used is free again."""
        with self._lock:
            for slab in self._slabs:
                slab.used_bytes = 0

    def _with_room(self, size_bytes: int) -> MappedSlab | None:
        """One that the frame uses already, else the smallest."""
        fitting = [slab for slab in self._slabs if slab.has_room(size_bytes)]
        return next((slab for slab in fitting if slab.used_bytes > 0), fitting[0] if fitting else None)


def _mapped(path: str, size_bytes: int) -> mmap.mmap:
    """Its pages are there afterwards, so that filling it for the first time is as fast as later."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        populate = getattr(mmap, "MAP_POPULATE", 0)
        return mmap.mmap(descriptor, size_bytes, flags=mmap.MAP_SHARED | populate)
    finally:
        os.close(descriptor)


def _aligned(offset: int) -> int:
    return (offset + ALIGNMENT_BYTES - 1) // ALIGNMENT_BYTES * ALIGNMENT_BYTES
