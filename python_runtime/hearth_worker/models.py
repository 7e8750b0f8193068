"""The models that are loaded in this worker, and the programs that run on them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, ValidationError, convert

from hearth_worker import memory
from hearth_worker.bound_program import BoundProgram
from hearth_worker.clock import now_ms
from hearth_worker.engines.engine import Engine, LoadedModel
from hearth_worker.engines.manifest import Manifest
from hearth_worker.failures import LoadFailed, StaleModel, staying_alive
from hearth_worker.model_files import ModelFiles
from hearth_worker.programs.registry import ProgramFactory
from hearth_worker.protocol.reports import Loaded
from hearth_worker.protocol.requests import Load, Policy


class NotRunnable(Exception):  # noqa: N818
    """This worker cannot run such a task, in words; another one may."""


class Binding(Struct, frozen=True):
    """A program on a loaded model, and what made it."""

    factory: ProgramFactory
    bound: BoundProgram


class ResidentModel(Struct):
    """One loaded model."""

    loaded: LoadedModel
    weights_bytes: int
    files: ModelFiles
    programs: dict[tuple[str, tuple[str, ...]], Binding] = {}


class Models:
    """By the server's number of the model version."""

    def __init__(self, engine: Engine, programs: Mapping[str, ProgramFactory]) -> None:
        self._engine = engine
        self._factories = programs
        self._resident: dict[int, ResidentModel] = {}
        self._programs_bound = 0
        # Set by the server, for models that may not be loaded yet.
        self.policies: dict[int, Policy] = {}

    def load(self, request: Load) -> Loaded:
        """Raises StaleModel, LoadFailed, OutOfMemory, or what the engine raises for a file it does not understand."""
        if request.model in self._resident:
            raise LoadFailed(f"Model {request.model} is loaded already.")
        files = ModelFiles(request.files)
        try:
            loaded = self._load(request, files)
        except Exception as error:
            # What an engine says of files that change under it is beside the point.
            change = files.change()
            files.close()
            if change:
                raise StaleModel(change) from error
            raise
        return loaded

    def _load(self, request: Load, files: ModelFiles) -> Loaded:
        private_before = memory.measure().private_bytes
        begun_at = now_ms()
        manifest = _manifest(request)
        loaded = self._engine.load(manifest, Path(request.directory), request.components)
        self._resident[request.model] = ResidentModel(loaded, loaded.weights_bytes, files)
        try:
            self._bind_graph(request.model, manifest, request.components)
            files.expect_as_verified()
        except BaseException:
            self._resident.pop(request.model)
            loaded.close()
            raise
        load_ms = now_ms() - begun_at
        private_growth = memory.measure().private_bytes - private_before
        self.policies.setdefault(request.model, _cautious_policy(request.model))
        return Loaded(
            model=request.model,
            load_ms=load_ms,
            weights_bytes=loaded.weights_bytes,
            private_bytes=max(private_growth, 0),
            inputs=loaded.inputs,
            outputs=loaded.outputs,
        )

    def unload(self, model: int) -> int:
        """The private anonymous memory of the process afterwards. Raises KeyError for a model that is not loaded."""
        resident = self._resident.pop(model)
        self.policies.pop(model, None)
        resident.programs.clear()
        resident.loaded.close()
        resident.files.close()
        del resident
        memory.give_back()
        return memory.measure().private_bytes

    def _bind_graph(self, model: int, manifest: Manifest, components: Sequence[str]) -> None:
        """Makes the programs of the model's graph now: the first task then finds them warm, and what is wrong shows."""
        for node in manifest.graph:
            if set(node.components) <= set(components):
                self.bind(model, node.program, node.components)

    def bind(self, model: int, program: str, components: Sequence[str]) -> BoundProgram:
        """The program, made for this model at its first task. Raises NotRunnable, BrokenProgram, StaleModel."""
        resident = self._resident.get(model)
        if resident is None:
            raise NotRunnable(f"Model {model} is not loaded in this worker.")
        factory = self._factories.get(program)
        if factory is None:
            known = ", ".join(self._factories)
            raise NotRunnable(
                f"This worker has no program {program!r}; it has {known}. Folders with others are named by "
                "HEARTH_PROGRAM_PATHS."
            )
        key = (program, tuple(components))
        binding = resident.programs.get(key)
        if binding is None or binding.factory is not factory:
            self._programs_bound += 1
            with staying_alive():
                bound = BoundProgram(self._programs_bound, model, factory(resident.loaded, components))
            # It may have read files by their names.
            resident.files.expect_as_verified()
            # In place of what was made of an older version of the program; its tasks keep that to their ends.
            binding = resident.programs[key] = Binding(factory, bound)
        return binding.bound

    def change_of(self, model: int) -> str | None:
        """What has happened to the files of a loaded model, in words; None as long as nothing has."""
        return self._resident[model].files.change()

    def __contains__(self, model: int) -> bool:
        return model in self._resident

    def weights(self) -> Iterator[tuple[int, int]]:
        """Every loaded model and the bytes of its weights."""
        return ((model, resident.weights_bytes) for model, resident in self._resident.items())

    def close(self) -> None:
        """Frees all of them."""
        for model in list(self._resident):
            resident = self._resident.pop(model)
            resident.loaded.close()
            resident.files.close()


def _manifest(request: Load) -> Manifest:
    try:
        return convert(request.manifest, Manifest)
    except ValidationError as error:
        raise LoadFailed(f"The manifest cannot be read: {error}.") from error


def _cautious_policy(model: int) -> Policy:
    """Until the server says otherwise."""
    return Policy(model, batch_limit=1, hold_ms=0, interactive_first=True)
