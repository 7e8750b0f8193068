"""Opens the components of one model in threads, each as soon as those are open that it depends on.

ONNX Runtime lets the interpreter go while it opens a graph: steps of other tasks go on meanwhile (the loop was kept
from running for no longer than the switching of threads), and graphs open side by side. The UNet alone takes most of
the starter image model's load, so that brings a third at most. More comes from using what is open before the rest is:
one thread keeps to the heaviest path, which decides when the model is whole, and the others open the lightest first,
with which work begins.
"""

from bisect import insort
from collections.abc import Callable
from concurrent.futures import Executor
from threading import Lock

from msgspec import Struct

from hearth_worker.clock import now_ms
from hearth_worker.component_graph import ComponentGraph
from hearth_worker.failures import staying_alive


class Opened(Struct, frozen=True):
    """A component can be used."""

    component: str
    load_ms: float
    weights_bytes: int


class Ended(Struct, frozen=True):
    """Nothing is being opened any more. `error` is the first that an opening raised; None: all are open."""

    error: Exception | None


News = Opened | Ended


class ComponentLoader:
    """Of one load. After the first failure, or `stop`, nothing more is begun; what is being opened is waited for."""

    def __init__(
        self, graph: ComponentGraph, open_component: Callable[[str], int], pool: Executor, tell: Callable[[News], None]
    ) -> None:
        """`open_component` returns the bytes of its weights. It and `tell` are called in threads of the pool; Ended is
        told once, last."""
        self._graph = graph
        self._open_component = open_component
        self._pool = pool
        self._tell = tell
        self._lock = Lock()
        self._walk = graph.walk()
        # Those that may be opened, the one with the heaviest path first. Each has a job in the pool, which takes the
        # first of that moment, or the last if another is on the heaviest path.
        self._ready: list[tuple[int, str]] = []
        self._is_path_taken = False
        self._jobs = 0
        self._is_stopped = False
        self._error: Exception | None = None

    def begin(self) -> None:
        """Returns at once."""
        with self._lock:
            self._offer_what_is_ready()
            is_empty = self._jobs == 0
        if is_empty:
            self._tell(Ended(None))

    def stop(self) -> None:
        """May come when all has been opened, and be too late."""
        self._is_stopped = True

    def _offer_what_is_ready(self) -> None:
        for component in self._walk.get_ready():
            insort(self._ready, (-self._graph.path_bytes(component), component))
            self._jobs += 1
            self._pool.submit(self._open_next)

    def _open_next(self) -> None:
        with self._lock:
            is_on_path = not self._is_path_taken
            _, component = self._ready.pop(0 if is_on_path else -1)
            self._is_path_taken = True
            is_wanted = not self._is_stopped
        error = self._opened(component) if is_wanted else None
        with self._lock:
            self._jobs -= 1
            if is_on_path:
                self._is_path_taken = False
            if error is not None:
                self._is_stopped = True
                self._error = self._error or error
            if not self._is_stopped:
                self._walk.done(component)
                self._offer_what_is_ready()
            is_last = self._jobs == 0
        if is_last:
            self._tell(Ended(self._error))

    def _opened(self, component: str) -> Exception | None:
        """What went wrong."""
        begun_at = now_ms()
        try:
            with staying_alive():
                weights_bytes = self._open_component(component)
        except Exception as error:
            return error
        self._tell(Opened(component, now_ms() - begun_at, weights_bytes))
        return None
