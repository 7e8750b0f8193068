"""What this process holds in memory, and giving back what it no longer needs."""

import ctypes
import gc
import sys
from pathlib import Path
from time import perf_counter
from typing import Literal

import msgspec

SMAPS_ROLLUP = Path("/proc/self/smaps_rollup")
STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")
# Has the kernel begin anew to look for the highest resident set.
RESET_PEAK = "5"


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


def begin_peak() -> int | None:
    """Begins to look for the most private memory that is in use; what is in use now. None where nobody can tell."""
    try:
        CLEAR_REFS.write_text(RESET_PEAK, encoding="ascii")
        return _status_bytes("RssAnon")
    except (OSError, KeyError):
        return None


def peak_private_bytes() -> int | None:
    """The most since `begin_peak`, as long as as many pages of files are in memory as then."""
    try:
        fields = _status_fields()
        return _bytes(fields["VmHWM"]) - _bytes(fields["RssFile"]) - _bytes(fields["RssShmem"])
    except (OSError, KeyError):
        return None


def data_bytes() -> int | None:
    """What RLIMIT_DATA counts: private memory that could be written, in use or not. None where nobody can tell."""
    try:
        return _status_bytes("VmData")
    except (OSError, KeyError):
        return None


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


def _status_bytes(field: str) -> int:
    return _bytes(_status_fields()[field])


def _status_fields() -> dict[str, str]:
    lines = STATUS.read_text(encoding="utf-8", errors="replace").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _bytes(kibibytes: str) -> int:
    return int(kibibytes.removesuffix("kB")) * 1024
