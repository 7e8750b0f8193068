"""A model that is being loaded: opened by its engine, component by component where the engine can."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue

from msgspec import Struct, ValidationError, convert

from hearth_worker.byte_budget import ByteBudget
from hearth_worker.clock import now_ms
from hearth_worker.component_graph import ComponentGraph, CyclicComponents
from hearth_worker.component_loader import ComponentLoader, Ended, News, Opened
from hearth_worker.engines.engine import ComponentEngine, Engine, GrowingModel, LoadedModel
from hearth_worker.engines.manifest import Component, Manifest, find_component
from hearth_worker.failures import LoadFailed
from hearth_worker.protocol.requests import Load, Policy


class LoadLimits(Struct, frozen=True):
    """`threads` open components at the same time; `buffer_bytes` go at the same time through memory of what no engine
    can map (a component that has more goes alone)."""

    # As the largest component takes most of a load's time, a third thread would find nothing to shorten.
    threads: int = 2
    buffer_bytes: int = 256 * 2**20


class ModelLoad(Struct):
    """One LOAD under way. `components` are those that can be used, `failure` what stands against the others."""

    request: Load
    request_id: int
    begun_at: float
    # The model's policy until the server sets another.
    cautious_policy: Policy
    components: set[str] = set()
    private_bytes: int = 0
    loader: ComponentLoader | None = None
    failure: Exception | None = None

    def expects(self, components: set[str]) -> bool:
        """Whether they will all be there, as far as anybody knows, and are not yet."""
        is_coming = self.failure is None and components <= set(self.request.components)
        return is_coming and not components <= self.components

    def fail(self, error: Exception) -> None:
        """Nothing more is begun to be opened. The first failure counts."""
        self.failure = self.failure or error
        if self.loader is not None:
            self.loader.stop()


class ModelLoader:
    """Begins loads, and keeps what their threads tell until the main thread asks for it."""

    def __init__(self, engine: Engine, wake: Callable[[], None], limits: LoadLimits) -> None:
        """`wake` is called from any thread, after there is news."""
        self._engine = engine
        self._wake = wake
        self._budget = ByteBudget(limits.buffer_bytes)
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="load")
        self._news: SimpleQueue[tuple[int, News]] = SimpleQueue()

    def begin(self, load: ModelLoad) -> LoadedModel:
        """The model, with what is open of it: nothing yet, or all if its engine opens models as a whole.

        Raises LoadFailed, or what an engine raises that opens models as a whole.
        """
        request = load.request
        manifest = _manifest(request)
        graph = _graph(manifest, request)
        if isinstance(self._engine, ComponentEngine):
            growing = self._engine.begin(manifest, Path(request.directory), request.components)
            load.loader = self._loader(request.model, growing, graph)
            load.loader.begin()
            return growing
        whole = self._engine.load(manifest, Path(request.directory), request.components)
        load_ms = now_ms() - load.begun_at
        for component in request.components:
            self._tell(request.model, Opened(component, load_ms, _share_bytes(whole, request, component)))
        self._tell(request.model, Ended(None))
        return whole

    def has_news(self) -> bool:
        """Whether `news` has any."""
        return not self._news.empty()

    def news(self) -> Iterator[tuple[int, News]]:
        """What has come of loads since this was asked last, with the number of the model."""
        while True:
            try:
                yield self._news.get_nowait()
            except Empty:
                return

    def _loader(self, model: int, growing: GrowingModel, graph: ComponentGraph) -> ComponentLoader:
        def open_component(component: str) -> int:
            with self._budget.taken(growing.unmapped_bytes(component)):
                return growing.open(component)

        return ComponentLoader(graph, open_component, self._pool, lambda news: self._tell(model, news))

    def _tell(self, model: int, news: News) -> None:
        self._news.put((model, news))
        self._wake()


def _manifest(request: Load) -> Manifest:
    try:
        return convert(request.manifest, Manifest)
    except ValidationError as error:
        raise LoadFailed(f"The manifest cannot be read: {error}.") from error


def _graph(manifest: Manifest, request: Load) -> ComponentGraph:
    """Of the components that are asked for. Raises LoadFailed, for a circle among the others too: they may be asked for
    next."""
    known = {component.name: component for component in manifest.components}
    asked = [find_component(manifest, Path(request.directory), name).component for name in request.components]
    for component in asked:
        for needed in component.depends_on:
            if needed not in known:
                raise LoadFailed(f"Component {component.name!r} depends on {needed!r}, which the model does not have.")
    try:
        _graph_of(manifest.components)
        return _graph_of(asked)
    except CyclicComponents as error:
        raise LoadFailed(f"Model {manifest.name!r} cannot be loaded: {error}") from error


def _graph_of(components: Sequence[Component]) -> ComponentGraph:
    return ComponentGraph(
        {component.name: component.depends_on for component in components},
        {component.name: _files_bytes(component) for component in components},
    )


def _share_bytes(whole: LoadedModel, request: Load, component: str) -> int:
    """Of a model that was opened as a whole: nobody knows but by its files, if it has several components."""
    if len(request.components) == 1:
        return whole.weights_bytes
    return _files_bytes(find_component(whole.manifest, Path(request.directory), component).component)


def _files_bytes(component: Component) -> int:
    """As the manifest has them, which the server compared with the files."""
    return sum(file.size_bytes for file in component.files)
