"""The part of a model's manifest (model.json) that a worker reads."""

from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import Struct

from hearth_worker.failures import LoadFailed
from hearth_worker.protocol.numbers import PositiveCount


class ModelFile(Struct, rename="camel", frozen=True):
    """`role` says what the file is to its engine: graph, weights, tokenizer."""

    path: str
    role: str = ""
    sha256: str = ""
    size_bytes: int = 0


class Component(Struct, rename="camel", frozen=True):
    """A part of a model that is loaded as one, after those that it depends on."""

    name: str
    format: str
    files: list[ModelFile]
    depends_on: list[str] = []


class GraphNode(Struct, rename="camel", frozen=True):
    """A task that a job of the model has: a program on some components. At most `batch_limit` states share a step."""

    program: str
    components: list[str] = []
    batch_limit: PositiveCount | None = None
    node: str = ""


class Manifest(Struct, frozen=True):
    """`options` are the engine's, `limits` the programs'; each reads its own."""

    name: str
    engine: str
    components: list[Component] = []
    graph: list[GraphNode] = []
    options: dict[str, Any] = {}
    limits: dict[str, Any] = {}


class ComponentFiles(Struct, frozen=True):
    """A component and where it lies."""

    component: Component
    directory: Path

    def path(self, role: str) -> Path:
        """The one file of that role. Raises LoadFailed."""
        files = [file for file in self.component.files if file.role == role]
        if len(files) != 1:
            raise LoadFailed(f"Component {self.component.name!r} needs one file of role {role!r}; it has {len(files)}.")
        return self._located(files[0])

    def paths(self) -> list[Path]:
        """Of all files. Raises LoadFailed."""
        return [self._located(file) for file in self.component.files]

    def optional_path(self, role: str) -> Path | None:
        """The one file of that role, or None where there is none. Raises LoadFailed."""
        return self.path(role) if any(file.role == role for file in self.component.files) else None

    def size_bytes(self, role: str) -> int:
        """Of all files of that role together."""
        return sum(self._located(file).stat().st_size for file in self.component.files if file.role == role)

    def _located(self, file: ModelFile) -> Path:
        relative = PurePosixPath(file.path)
        if relative.is_absolute() or ".." in relative.parts:
            raise LoadFailed(f"{file.path!r} lies outside the model's folder.")
        path = self.directory / relative
        if not path.is_file():
            raise LoadFailed(f"{path} does not exist.")
        return path


def find_component(manifest: Manifest, directory: Path, name: str) -> ComponentFiles:
    """Raises LoadFailed."""
    for component in manifest.components:
        if component.name == name:
            return ComponentFiles(component, directory)
    known = ", ".join(component.name for component in manifest.components) or "none"
    raise LoadFailed(f"Model {manifest.name!r} has no component {name!r}; it has {known}.")
