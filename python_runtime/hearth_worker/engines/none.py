"""No engine: for programs that compute in Python alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import Manifest, find_component
from hearth_worker.protocol.reports import TensorPort


class NothingLoaded(Struct, frozen=True):
    """Only the manifest."""

    manifest: Manifest
    weights_bytes: int = 0
    inputs: list[TensorPort] | None = None
    outputs: list[TensorPort] | None = None

    def close(self) -> None:
        """There is nothing to free."""


class NoEngine:
    """Loads nothing, in no time."""

    versions: Mapping[str, str] = {}

    def __init__(self, settings: EngineSettings) -> None:
        """Needs none of them."""

    def load(self, manifest: Manifest, directory: Path, components: Sequence[str]) -> NothingLoaded:
        """Only checks that the components are there."""
        for name in components:
            find_component(manifest, directory, name)
        return NothingLoaded(manifest)
