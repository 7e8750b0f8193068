"""An engine whose components open when a test lets them: each behind a named pipe."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import Manifest, find_component
from hearth_worker.failures import LoadFailed, OutOfMemory
from hearth_worker.protocol.reports import TensorPort

WEIGHTS_BYTES = 7


def install(folder: Path) -> dict[str, str]:
    """Lays a distribution with the engine into a folder; returns the variables with which a worker finds it."""
    metadata = folder / "gated-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: gated\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[hearth.engines]\ngated = {__name__}:GatedEngine\n")
    return {"PYTHONPATH": str(folder)}


class GatedModel:
    """`unmapped_bytes` of a component are those of its file in the manifest."""

    inputs: list[TensorPort] | None = None
    outputs: list[TensorPort] | None = None

    def __init__(self, manifest: Manifest, directory: Path) -> None:
        self.manifest = manifest
        self.directory = directory
        self.begun: SimpleQueue[str] = SimpleQueue()
        self.opened: list[str] = []
        self.is_closed = False

    @property
    def weights_bytes(self) -> int:
        return WEIGHTS_BYTES * len(self.opened)

    def unmapped_bytes(self, component: str) -> int:
        return find_component(self.manifest, self.directory, component).component.files[0].size_bytes

    def open(self, component: str) -> int:
        self.begun.put(component)
        words = (self.directory / component).read_text()
        if words == "broken":
            raise LoadFailed("It is broken.")
        if words == "huge":
            raise OutOfMemory("There is no room.")
        self.opened.append(component)
        return WEIGHTS_BYTES

    def close(self) -> None:
        self.is_closed = True


class GatedEngine:
    """Remembers its models."""

    versions: Mapping[str, str] = {}

    def __init__(self, settings: EngineSettings) -> None:
        self.models: list[GatedModel] = []

    def begin(self, manifest: Manifest, directory: Path, components: Sequence[str]) -> GatedModel:
        self.models.append(GatedModel(manifest, directory))
        return self.models[-1]

    def load(self, manifest: Manifest, directory: Path, components: Sequence[str]) -> GatedModel:
        raise AssertionError("it opens components one by one")


class Gates:
    """The components of one model, none of which can be opened yet."""

    def __init__(self, folder: Path, components: Mapping[str, Sequence[str]], size_bytes: Mapping[str, int]) -> None:
        self.folder = folder
        self._names = list(components)
        described = [_component(name, needed, size_bytes.get(name, 1)) for name, needed in components.items()]
        self._manifest = {"name": "gated", "engine": "gated", "components": described}
        for name in components:
            os.mkfifo(folder / name)

    def load_meta(self, model: int = 1) -> dict[str, Any]:
        """A LOAD of all components."""
        return {
            "model": model,
            "manifest": self._manifest,
            "directory": str(self.folder),
            "components": self._names,
        }

    def open(self, component: str, words: str = "") -> None:
        """Waits until it is being opened, and lets it be: "broken" and "huge" say what becomes of it."""
        (self.folder / component).write_text(words)

    def open_all(self) -> None:
        """So that no thread waits for ever."""
        for path in self.folder.iterdir():
            if stat.S_ISFIFO(path.stat().st_mode):
                with suppress(OSError):
                    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                    path.unlink()
                    path.write_text("")
                    os.close(descriptor)
                    continue
                path.unlink()
                path.write_text("")


@contextmanager
def gated(
    folder: Path, components: Mapping[str, Sequence[str]], size_bytes: Mapping[str, int] | None = None
) -> Iterator[Gates]:
    """Gates of components with what they depend on; all are open in the end."""
    gates = Gates(folder, components, size_bytes or {})
    try:
        yield gates
    finally:
        gates.open_all()


def _component(name: str, depends_on: Sequence[str], size_bytes: int) -> dict[str, Any]:
    file = {"path": name, "role": "weights", "sizeBytes": size_bytes}
    return {"name": name, "format": "gated", "files": [file], "dependsOn": list(depends_on)}
