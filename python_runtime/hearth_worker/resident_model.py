"""One model in this worker, whole or in part, and the programs that were made for it."""

from collections.abc import Sequence
from itertools import count

from msgspec import Struct

from hearth_worker.bound_program import BoundProgram
from hearth_worker.engines.engine import LoadedModel
from hearth_worker.engines.manifest import GraphNode, Manifest
from hearth_worker.failures import staying_alive
from hearth_worker.model_files import ModelFiles
from hearth_worker.model_load import ModelLoad
from hearth_worker.programs.registry import ProgramFactory

# Tells programs of all models apart.
_numbers = count(1)


class Binding(Struct, frozen=True):
    """A program on a loaded model, and what made it."""

    factory: ProgramFactory
    bound: BoundProgram


class ResidentModel:
    """`number` is the server's, of the model version; `load` is set until the model is whole."""

    def __init__(self, number: int, loaded: LoadedModel, files: ModelFiles, load: ModelLoad) -> None:
        self.number = number
        self.loaded = loaded
        self.files = files
        self.load: ModelLoad | None = load
        self._programs: dict[tuple[str, tuple[str, ...]], Binding] = {}

    def has(self, components: Sequence[str]) -> bool:
        """Whether a program may use them now. Of a whole model nobody asks: its engine knows what it has."""
        return self.load is None or set(components) <= self.load.components

    def bind(self, program: str, factory: ProgramFactory, components: Sequence[str]) -> BoundProgram:
        """The program, made once. Raises StaleModel, or whatever the program raises."""
        key = (program, tuple(components))
        binding = self._programs.get(key)
        if binding is None or binding.factory is not factory:
            with staying_alive():
                made = factory(self.loaded, components)
            node = _node_of(self.loaded.manifest, program, components)
            limit, name = (node.batch_limit, node.node) if node else (None, "")
            bound = BoundProgram(next(_numbers), self.number, made, limit, name or program)
            # It may have read files by their names.
            self.files.expect_as_verified()
            # In place of what was made of an older version of the program; its tasks keep that to their ends.
            binding = self._programs[key] = Binding(factory, bound)
        return binding.bound

    def free(self) -> None:
        """Its memory and its files; nothing runs on it any more."""
        self._programs.clear()
        self.loaded.close()
        self.files.close()


def _node_of(manifest: Manifest, program: str, components: Sequence[str]) -> GraphNode | None:
    """What the program is to the model; None: its graph does not have it."""
    for node in manifest.graph:
        if node.program == program and node.components == list(components):
            return node
    return None
