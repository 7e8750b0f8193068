"""ONNX Runtime: sessions that keep their weights mapped, shared by equal components of several models."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from msgspec import ValidationError, convert

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import ComponentFiles, Manifest, find_component
from hearth_worker.engines.onnx_session import OnnxOptions
from hearth_worker.engines.onnx_values import Array
from hearth_worker.engines.shared_sessions import SharedSessions
from hearth_worker.failures import LoadFailed, StaleModel
from hearth_worker.protocol.reports import TensorPort


class OnnxComponent:
    """One graph, ready to run. Its session may be that of an equal component of another model."""

    def __init__(self, files: ComponentFiles, sessions: SharedSessions, options: OnnxOptions) -> None:
        self.files = files
        # In full, though the session may be shared: when the other model leaves, this one still holds them. The
        # server's ledger so counts shared weights more than once, which errs on the safe side.
        self.weights_bytes = files.size_bytes("weights") or files.path("graph").stat().st_size
        self._sessions = sessions
        # Last of what may fail: whoever takes a session gives it back in `close`.
        self._session = sessions.take(files, options)
        self.inputs = self._session.inputs
        self.optional_inputs = self._session.optional_inputs
        self.outputs = self._session.outputs
        self._is_open = True

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str] | None = None) -> list[Any]:
        """The outputs in the order asked for, or all in the graph's order: arrays (bfloat16 as uint16), and lists for
        sequences. Raises OutOfMemory, RefusedInputs, StaleModel."""
        assert self._is_open, "the component is closed"
        computed = self._session.run(inputs, outputs)
        # The model's own files are watched elsewhere; the session's may be another model's.
        if not self._session.files.are_unchanged():
            raise StaleModel(f"A file of {self.files.component.name!r} changed while it was in use.")
        return computed

    def terminate(self) -> None:
        """Has a run that is under way raise within milliseconds; the session can be used again. For other threads."""
        self._session.terminate()

    def close(self) -> None:
        """Lets go of the session, whoever still holds the component; the last to do so frees it."""
        if self._is_open:
            self._is_open = False
            self._sessions.give_back(self._session)


class OnnxModel:
    """The loaded components of a model, by name."""

    def __init__(self, manifest: Manifest, components: dict[str, OnnxComponent]) -> None:
        self.manifest = manifest
        self.components = components
        self.weights_bytes = sum(component.weights_bytes for component in components.values())
        only = next(iter(components.values())) if len(components) == 1 else None
        self.inputs: list[TensorPort] | None = only.inputs if only else None
        self.outputs: list[TensorPort] | None = only.outputs if only else None

    def close(self) -> None:
        """Frees the sessions that no other model shares."""
        for component in self.components.values():
            component.close()
        self.components.clear()


class OnnxEngine:
    """Runs graphs on the CPU."""

    def __init__(self, settings: EngineSettings) -> None:
        self._sessions = SharedSessions(settings.threads)
        self.versions: Mapping[str, str] = {"onnxruntime": onnxruntime.__version__, "numpy": np.__version__}

    def load(self, manifest: Manifest, directory: Path, components: Sequence[str]) -> OnnxModel:
        """Maps the weights where the graph keeps them in a file of their own."""
        options = _options(manifest)
        files = {name: find_component(manifest, directory, name) for name in components}
        loaded: dict[str, OnnxComponent] = {}
        try:
            for name, each in files.items():
                loaded[name] = OnnxComponent(each, self._sessions, options)
        except BaseException:
            for component in loaded.values():
                component.close()
            raise
        return OnnxModel(manifest, loaded)


def _options(manifest: Manifest) -> OnnxOptions:
    try:
        return convert(manifest.options, OnnxOptions)
    except ValidationError as error:
        raise LoadFailed(f"The options of model {manifest.name!r} cannot be read: {error}.") from error
