"""What this process holds in memory, and giving back what it no longer needs."""

import ctypes
import gc
import sys
from pathlib import Path
from time import perf_counter
from typing import Literal

import msgspec

SMAPS_ROLLUP = Path("/proc/self/smaps_rollup")


class MemoryUse(msgspec.Struct, frozen=True):
    """`private_bytes` is private anonymous memory: what mapped files share with others is not in it."""

    private_bytes: int
    resident_bytes: int


def measure() -> MemoryUse:
    """Asks the kernel; takes about a millisecond per gigabyte that is mapped."""
    if not SMAPS_ROLLUP.exists():
        return _measure_without_procfs()
    fields = dict(line.split(":", 1) for line in SMAPS_ROLLUP.read_text(encoding="ascii").splitlines()[1:])
    return MemoryUse(private_bytes=_bytes(fields["Anonymous"]), resident_bytes=_bytes(fields["Rss"]))


def give_back() -> None:
    """Collects garbage and returns free heap to the system: kept by the C library, it would look like a leak."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


class CollectorWatch:
    """Counts runs of the garbage collector and remembers the longest."""

    def __init__(self) -> None:
        self.count = 0
        self.pause_ms_max = 0.0
        self._started_at = 0.0
        gc.callbacks.append(self._observe)

    def _observe(self, phase: Literal["start", "stop"], _info: dict[str, int]) -> None:
        if phase == "start":
            self._started_at = perf_counter()
            return
        self.count += 1
        self.pause_ms_max = max(self.pause_ms_max, (perf_counter() - self._started_at) * 1000)


def _measure_without_procfs() -> MemoryUse:
    import psutil  # type: ignore[import-untyped]

    process = psutil.Process()
    return MemoryUse(private_bytes=process.memory_full_info().uss, resident_bytes=process.memory_info().rss)


def _bytes(kibibytes: str) -> int:
    return int(kibibytes.removesuffix("kB")) * 1024
