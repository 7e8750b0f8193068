"""The contract between a worker and what computes in it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from msgspec import Struct

from hearth_worker.engines.manifest import Manifest
from hearth_worker.protocol.reports import TensorPort


class EngineSettings(Struct, frozen=True):
    """What an engine is given at its start: compute threads it may use, and how to tell the loop of something new.

    `wake` may be called from any thread, and as often as one likes.
    """

    threads: int
    wake: Callable[[], None]


class LoadedModel(Protocol):
    """A model, or some of its components, ready to compute. Programs know the class of their own engine."""

    @property
    def manifest(self) -> Manifest: ...
    @property
    def weights_bytes(self) -> int:
        """Mapped or allocated for weights."""
        ...

    @property
    def inputs(self) -> list[TensorPort] | None:
        """What the model takes, where that is one list."""
        ...

    @property
    def outputs(self) -> list[TensorPort] | None: ...

    def close(self) -> None:
        """Frees everything; nothing is computing with it any more."""
        ...


class Engine(Protocol):
    """Made once per worker as `Engine(settings)`, which imports its library: a worker that has said HELLO is warm."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Of the libraries it computes with, by name."""
        ...

    def load(self, manifest: Manifest, directory: Path, components: Sequence[str]) -> LoadedModel:
        """Called in the worker's main thread: no step runs meanwhile.

        Raises LoadFailed for what is wrong with the model's files, OutOfMemory when there is no room."""
        ...


class GrowingModel(LoadedModel, Protocol):
    """A model whose components are opened one by one; each can be used as soon as it is open.

    What is open is seen by `weights_bytes`; `inputs` and `outputs` are asked for when all are.
    """

    def unmapped_bytes(self, component: str) -> int:
        """Of what opening it reads, how much goes through memory because it cannot be mapped. Raises LoadFailed."""
        ...

    def open(self, component: str) -> int:
        """Called once for each, in any thread, several at a time. Returns what is mapped or allocated for its weights.

        Raises as `load` does.
        """
        ...


@runtime_checkable
class ComponentEngine(Engine, Protocol):
    """An engine that can open the components of a model one by one, while steps run."""

    def begin(self, manifest: Manifest, directory: Path, components: Sequence[str]) -> GrowingModel:
        """A model with none of its components open yet. Takes no time. Raises LoadFailed."""
        ...
