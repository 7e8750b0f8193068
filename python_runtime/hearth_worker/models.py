"""The models that are in this worker, whole or in part, and the programs that run on them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from hearth_worker import memory
from hearth_worker.bound_program import BoundProgram
from hearth_worker.clock import now_ms
from hearth_worker.component_loader import Opened
from hearth_worker.engines.engine import Engine
from hearth_worker.failures import LoadFailed, StaleModel
from hearth_worker.model_files import ModelFiles
from hearth_worker.model_load import LoadLimits, ModelLoad, ModelLoader
from hearth_worker.private_growth import PrivateGrowth
from hearth_worker.programs.registry import ProgramFactory
from hearth_worker.protocol.reports import ComponentLoaded, Loaded
from hearth_worker.protocol.requests import Load, Policy
from hearth_worker.resident_model import ResidentModel


class NotRunnable(Exception):  # noqa: N818
    """This worker cannot run such a task, in words; another one may."""


class LoadEnded(Struct, frozen=True):
    """The answer to a LOAD. A model that could not be loaded is gone again."""

    request_id: int
    model: int
    result: Loaded | Exception


class Models:
    """By the server's number of the model version. For the main thread alone."""

    def __init__(
        self,
        engine: Engine,
        programs: Mapping[str, ProgramFactory],
        wake: Callable[[], None],
        limits: LoadLimits | None = None,
    ) -> None:
        """`wake` is called, from any thread, when `load_news` has some."""
        self._factories = programs
        self._loader = ModelLoader(engine, wake, limits or LoadLimits())
        self._growth = PrivateGrowth()
        self._resident: dict[int, ResidentModel] = {}
        # Set by the server, for models that may not be loaded yet.
        self.policies: dict[int, Policy] = {}

    def begin_load(self, request: Load, request_id: int) -> None:
        """What comes of it is in `load_news`. An engine that opens models as a whole has done so on return.

        Raises StaleModel, LoadFailed, or what such an engine raises: OutOfMemory, or its own words for a broken file.
        """
        if request.model in self._resident:
            state = "being loaded" if self.is_loading(request.model) else "loaded"
            raise LoadFailed(f"Model {request.model} is {state} already.")
        if not self.has_loads():
            self._growth.begin()
        load = ModelLoad(request, request_id, now_ms(), _cautious_policy(request.model))
        files = ModelFiles(request.files)
        try:
            loaded = self._loader.begin(load)
        except Exception as error:
            change = files.change()
            files.close()
            if change:
                raise StaleModel(change) from error
            raise
        self._resident[request.model] = ResidentModel(request.model, loaded, files, load)
        self.policies.setdefault(request.model, load.cautious_policy)

    def has_load_news(self) -> bool:
        """Whether `load_news` has any; cheap."""
        return self._loader.has_news()

    def load_news(self) -> Iterator[ComponentLoaded | LoadEnded]:
        """Components that can be used now, the programs on them made; and loads that have ended."""
        for model, news in self._loader.news():
            resident = self._resident[model]
            load = resident.load
            assert load is not None, "news of a load comes before its end"
            if not isinstance(news, Opened):
                yield self._end_load(resident, load, news.error)
            elif load.failure is None:
                try:
                    yield self._take_component(resident, load, news)
                except Exception as error:
                    load.fail(error)

    def has_loads(self) -> bool:
        """Whether any has not ended."""
        return any(resident.load for resident in self._resident.values())

    def is_loading(self, model: int) -> bool:
        """Until its load has ended, well or not."""
        resident = self._resident.get(model)
        return resident is not None and resident.load is not None

    def expects(self, model: int, components: Sequence[str]) -> bool:
        """Whether some of these components are still coming, and all will be there: who needs them waits.

        False: `bind` knows more.
        """
        resident = self._resident.get(model)
        return resident is not None and resident.load is not None and resident.load.expects(set(components))

    def bind(self, model: int, program: str, components: Sequence[str]) -> BoundProgram:
        """The program, made for this model at its first task. Raises NotRunnable, BrokenProgram, StaleModel."""
        resident = self._resident.get(model)
        if resident is None:
            raise NotRunnable(f"Model {model} is not loaded in this worker.")
        if not resident.has(components):
            raise NotRunnable(f"Model {model} is being loaded without all the components of program {program!r}.")
        factory = self._factories.get(program)
        if factory is None:
            known = ", ".join(self._factories)
            raise NotRunnable(
                f"This worker has no program {program!r}; it has {known}. Folders with others are named by "
                "HEARTH_PROGRAM_PATHS."
            )
        return resident.bind(program, factory, components)

    def change_of(self, model: int) -> str | None:
        """What has happened to the files of a loaded model, in words; None as long as nothing has."""
        return self._resident[model].files.change()

    def __contains__(self, model: int) -> bool:
        return model in self._resident

    def weights(self) -> Iterator[tuple[int, int]]:
        """Every model and the bytes of its weights, as far as they are there."""
        return ((model, resident.loaded.weights_bytes) for model, resident in self._resident.items())

    def unload(self, model: int) -> int:
        """The private anonymous memory of the process afterwards. Raises KeyError for a model that is not loaded."""
        self._resident.pop(model).free()
        self.policies.pop(model, None)
        memory.give_back()
        return memory.measure().private_bytes

    def close(self) -> None:
        """Frees all that are whole. What is still being opened ends with the process."""
        for resident in self._resident.values():
            if resident.load is None:
                resident.free()
            else:
                resident.load.fail(LoadFailed("The worker ends."))
        self._resident.clear()

    def _take_component(self, resident: ResidentModel, load: ModelLoad, news: Opened) -> ComponentLoaded:
        resident.files.expect_as_verified()
        load.components.add(news.component)
        self._bind_graph(resident)
        load.private_bytes += self._growth.take()
        return ComponentLoaded(resident.number, news.component, news.load_ms, news.weights_bytes)

    def _end_load(self, resident: ResidentModel, load: ModelLoad, error: Exception | None) -> LoadEnded:
        failure = load.failure or error or self._last_failure(resident)
        if failure is not None:
            if self.policies[resident.number] is load.cautious_policy:
                del self.policies[resident.number]
            change = resident.files.change()
            self._resident.pop(resident.number).free()
            # What an engine says of files that change under it is beside the point.
            return LoadEnded(load.request_id, resident.number, _stale(change, failure) if change else failure)
        load.private_bytes += self._growth.take()
        resident.load = None
        loaded = Loaded(
            model=resident.number,
            load_ms=now_ms() - load.begun_at,
            weights_bytes=resident.loaded.weights_bytes,
            private_bytes=load.private_bytes,
            inputs=resident.loaded.inputs,
            outputs=resident.loaded.outputs,
        )
        return LoadEnded(load.request_id, resident.number, loaded)

    def _last_failure(self, resident: ResidentModel) -> Exception | None:
        """Of a model all of whose components are open."""
        try:
            # Programs on no components, of a model that has none.
            self._bind_graph(resident)
            resident.files.expect_as_verified()
        except Exception as error:
            return error
        return None

    def _bind_graph(self, resident: ResidentModel) -> None:
        """Makes the programs of the model's graph that can be made: the first task then finds them warm, and what is
        wrong shows."""
        for node in resident.loaded.manifest.graph:
            if resident.has(node.components):
                self.bind(resident.number, node.program, node.components)


def _stale(change: str, instead_of: Exception) -> StaleModel:
    stale = StaleModel(change)
    stale.__cause__ = instead_of
    return stale


def _cautious_policy(model: int) -> Policy:
    """Until the server says otherwise."""
    return Policy(model, batch_limit=1, hold_ms=0, interactive_first=True)
