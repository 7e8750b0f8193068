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
    """A model's components that are open, by name: at first none."""

    def __init__(
        self, manifest: Manifest, files: Mapping[str, ComponentFiles], sessions: SharedSessions, options: OnnxOptions
    ) -> None:
        self.manifest = manifest
        self.components: dict[str, OnnxComponent] = {}
        self._files = files
        self._sessions = sessions
        self._options = options

    @property
    def weights_bytes(self) -> int:
        """Of the components that are open."""
        return sum(component.weights_bytes for component in list(self.components.values()))

    @property
    def inputs(self) -> list[TensorPort] | None:
        """Of a model with one component."""
        return next(iter(self.components.values())).inputs if len(self._files) == 1 else None

    @property
    def outputs(self) -> list[TensorPort] | None:
        """Of a model with one component."""
        return next(iter(self.components.values())).outputs if len(self._files) == 1 else None

    def unmapped_bytes(self, component: str) -> int:
        """A graph is read whole, with the weights in it. Weights in a file of their own are mapped, unless they are
        rearranged. What ONNX Runtime makes of mapped ones at its own wish (float16 becomes float32, weights of
        convolutions are laid out anew) nobody knows before, and is not in it."""
        files = self._files[component]
        weights_bytes = files.size_bytes("weights") if self._options.of(component).prepack else 0
        return files.path("graph").stat().st_size + weights_bytes

    def open(self, component: str) -> int:
        """Maps the weights where the graph keeps them in a file of their own. They are told in full, though the session
        may be shared."""
        opened = OnnxComponent(self._files[component], self._sessions, self._options.of(component))
        self.components[component] = opened
        return opened.weights_bytes

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

    def begin(self, manifest: Manifest, directory: Path, components: Sequence[str]) -> OnnxModel:
        """With none of them open."""
        files = {name: find_component(manifest, directory, name) for name in components}
        return OnnxModel(manifest, files, self._sessions, _options(manifest))

    def load(self, manifest: Manifest, directory: Path, components: Sequence[str]) -> OnnxModel:
        """With all of them open."""
        model = self.begin(manifest, directory, components)
        try:
            for name in components:
                model.open(name)
        except BaseException:
            model.close()
            raise
        return model


def _options(manifest: Manifest) -> OnnxOptions:
    try:
        options = convert(manifest.options, OnnxOptions)
    except ValidationError as error:
        raise LoadFailed(f"The options of model {manifest.name!r} cannot be read: {error}.") from error
    named = () if isinstance(options.prepack, bool) else options.prepack
    unknown = sorted({*named} - {component.name for component in manifest.components})
    if unknown:
        raise LoadFailed(f"Model {manifest.name!r} has no component {unknown[0]!r}, which `options.prepack` names.")
    return options
