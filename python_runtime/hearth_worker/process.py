"""What a worker does to its own process before anything else: streams, signals, cores, and not outliving its parent."""

import ctypes
import faulthandler
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hearth_worker import memory

STREAM_DESCRIPTOR = 3
# Of private memory that is set aside and never touched: for the process, and for each compute thread of each model.
SLACK_BYTES = 64 * 1024 * 1024
THREAD_BYTES = 16 * 1024 * 1024
PR_SET_PDEATHSIG = 1
OUR_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def take_stream() -> socket.socket:
    """The stream to the server, out of reach of any process that a library may start.

    Raises OSError when descriptor 3 is not a socket.
    """
    os.set_inheritable(STREAM_DESCRIPTOR, False)
    stream = socket.socket(fileno=STREAM_DESCRIPTOR)
    stream.setblocking(True)
    return stream


def merge_outputs() -> None:
    """Standard output goes where standard error goes, for C libraries as well; both end up in the server's log."""
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def die_with_parent() -> None:
    """Has the kernel kill this process when its parent ends, even while native code holds the interpreter (Linux)."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def pin_to(cores: Sequence[int]) -> None:
    """Keeps this process and all threads it will start to these cores; nothing where it cannot be asked for."""
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def limit_private_memory(private_bytes: int, threads: int) -> None:
    """Has allocations fail beyond so many bytes of private memory, before the machine runs out of it; nothing where it
    cannot be asked for. To be called when libraries are loaded: what they have set aside and not touched is no use.

    The kernel counts what could be written, touched or not: stacks of threads, and what allocators set aside for each.
    """
    known_bytes = memory.data_bytes()
    if known_bytes is None or sys.platform != "linux":
        return
    untouched_bytes = max(0, known_bytes - memory.measure().private_bytes)
    limit = private_bytes + untouched_bytes + SLACK_BYTES + threads * THREAD_BYTES
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def own_signals(stop: Callable[[], None]) -> None:
    """SIGTERM asks for a clean end, SIGINT is the server's business, SIGUSR1 prints the stacks of all threads."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stop())
    if not faulthandler.is_enabled():
        faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)


@contextmanager
def keeping_signals() -> Iterator[None]:
    """Around native code that installs handlers of its own: ours are put back, and signals wait meanwhile.

    To be called in the main thread; threads that are started inside never take our signals.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, OUR_SIGNALS)
    handlers = {number: signal.getsignal(number) for number in OUR_SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, OUR_SIGNALS)
