"""ONNX Runtime: sessions that keep their weights mapped, and runs that can be ended from another thread."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from msgspec import Struct, ValidationError, convert
from numpy.typing import NDArray

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import ComponentFiles, Manifest, find_component
from hearth_worker.failures import LoadFailed, OutOfMemory
from hearth_worker.protocol.reports import TensorPort

Array = NDArray[Any]

ERRORS_ONLY = 3
# How ONNX Runtime words that an allocation failed.
OUT_OF_MEMORY_WORDS = ("bad_alloc", "Failed to allocate memory", "bad allocation")


class OnnxOptions(Struct, frozen=True):
    """`prepack`: weights are rearranged for speed at loading, which copies them out of the mapped file."""

    prepack: bool = False


class OnnxComponent:
    """One graph, ready to run."""

    def __init__(self, files: ComponentFiles, options: onnxruntime.SessionOptions) -> None:
        graph = files.path("graph")
        self.files = files
        self.weights_bytes = files.size_bytes("weights") or graph.stat().st_size
        with _telling_out_of_memory():
            session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._session: onnxruntime.InferenceSession | None = session
        self.inputs = [_port(port) for port in session.get_inputs()]
        self.outputs = [_port(port) for port in session.get_outputs()]
        self._running: onnxruntime.RunOptions | None = None

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """The outputs in the graph's order. Raises OutOfMemory."""
        assert self._session is not None, "the component is closed"
        self._running = onnxruntime.RunOptions()
        try:
            with _telling_out_of_memory():
                return list(self._session.run(None, dict(inputs), self._running))
        finally:
            self._running = None

    def terminate(self) -> None:
        """Has a run that is under way raise within milliseconds; the session can be used again. For other threads."""
        running = self._running
        if running is not None:
            running.terminate = True

    def close(self) -> None:
        """Frees the session, whoever still holds the component."""
        self._session = None


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
        """Frees the sessions."""
        for component in self.components.values():
            component.close()
        self.components.clear()


class OnnxEngine:
    """Runs graphs on the CPU."""

    def __init__(self, settings: EngineSettings) -> None:
        self._threads = settings.threads
        self.versions: Mapping[str, str] = {"onnxruntime": onnxruntime.__version__, "numpy": np.__version__}

    def load(self, manifest: Manifest, directory: Path, components: Sequence[str]) -> OnnxModel:
        """Maps the weights where the graph keeps them in a file of their own."""
        options = _session_options(self._threads, _options(manifest))
        files = {name: find_component(manifest, directory, name) for name in components}
        return OnnxModel(manifest, {name: OnnxComponent(each, options) for name, each in files.items()})


@contextmanager
def _telling_out_of_memory() -> Iterator[None]:
    """ONNX Runtime has no exception of its own for it, whether it loads or runs."""
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY_WORDS):
            raise OutOfMemory(str(error)) from error
        raise


def _options(manifest: Manifest) -> OnnxOptions:
    try:
        return convert(manifest.options, OnnxOptions)
    except ValidationError as error:
        raise LoadFailed(f"The options of model {manifest.name!r} cannot be read: {error}.") from error


def _session_options(threads: int, options: OnnxOptions) -> onnxruntime.SessionOptions:
    session = onnxruntime.SessionOptions()
    session.intra_op_num_threads = threads
    session.inter_op_num_threads = 1
    session.log_severity_level = ERRORS_ONLY
    # An arena keeps the memory of the largest run for good: for the starter encoder 250 MB beside 90 MB of weights.
    # Without it runs of usual size are as fast, the largest take 7 % longer.
    session.enable_cpu_mem_arena = False
    # Threads that spin while there is nothing to do would take the cores of others.
    session.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session.add_session_config_entry("session.disable_prepacking", "0" if options.prepack else "1")
    return session


def _port(port: onnxruntime.NodeArg) -> TensorPort:
    """ONNX Runtime words a type as `tensor(float)`; the name inside is numpy's but for two."""
    word = str(port.type).removeprefix("tensor(").removesuffix(")")
    dtype = {"float": "float32", "double": "float64"}.get(word, word)
    return TensorPort(port.name, dtype, list(port.shape))
