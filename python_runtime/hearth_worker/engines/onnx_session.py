"""An open ONNX graph: how it is opened, run, ended from another thread, and shared by equal components of models."""

from collections.abc import Mapping, Sequence
from typing import Any

import onnxruntime
from msgspec import Struct

from hearth_worker.engines.manifest import ComponentFiles
from hearth_worker.engines.onnx_errors import telling_broken_graph, telling_out_of_memory, telling_refused_inputs
from hearth_worker.engines.onnx_values import BFLOAT16, Array, from_array, port_of, to_array
from hearth_worker.engines.opened_files import OpenedFiles

ERRORS_ONLY = 3
# Nothing at all: what a graph does not take is told to whoever asked, and is no matter for the server's log.
FATAL_ONLY = 4


class OnnxOptions(Struct, frozen=True):
    """`prepack`: weights are rearranged at loading, which copies them out of the mapped file; of all components, or of
    those that are named. Runs are faster alone, and a row's matrix products have the same bytes in any company and with
    any number of threads; without, the order of sums depends on both.
    """

    prepack: bool | tuple[str, ...] = False

    def of(self, component: str) -> "OnnxOptions":
        """For one component: equal for those that may share a session."""
        return self if isinstance(self.prepack, bool) else OnnxOptions(component in self.prepack)


class OnnxSession:
    """One open graph. `holders` counts the components that use it; it is closed when the last lets go."""

    def __init__(self, files: ComponentFiles, threads: int, options: OnnxOptions) -> None:
        """Raises OutOfMemory, LoadFailed for files that are not there, or what ONNX Runtime says of a broken graph."""
        self.files = OpenedFiles(files.paths())
        self.holders = 0
        try:
            session = _opened(files, threads, options)
        except BaseException:
            self.files.close()
            raise
        self._session: onnxruntime.InferenceSession | None = session
        self.inputs = [port_of(port) for port in session.get_inputs()]
        # Inputs that have a value of their own where none is given.
        self.optional_inputs = [port_of(port) for port in session.get_overridable_initializers()]
        self.outputs = [port_of(port) for port in session.get_outputs()]
        self._bfloat16 = {
            port.name for port in [*self.inputs, *self.optional_inputs, *self.outputs] if port.dtype == BFLOAT16
        }
        self._running: onnxruntime.RunOptions | None = None

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str] | None) -> list[Any]:
        """The outputs in the order asked for, or all in the graph's. Raises OutOfMemory, RefusedInputs.

        ONNX Runtime's builds for inference compute the whole graph whatever is asked for (its option
        `only_execute_path_to_fetches` does nothing in them); what nobody asked for is dropped there and not copied.
        """
        session = self._session
        assert session is not None, "the component is closed"
        self._running = onnxruntime.RunOptions()
        self._running.log_severity_level = FATAL_ONLY
        names = [port.name for port in self.outputs] if outputs is None else list(outputs)
        try:
            with telling_out_of_memory(), telling_refused_inputs():
                if self._bfloat16.isdisjoint({*inputs, *names}):
                    return list(session.run(names, dict(inputs), self._running))
                feed = {name: from_array(array, self._dtype(name, array)) for name, array in inputs.items()}
                return [to_array(value) for value in session.run_with_ort_values(names, feed, self._running)]
        finally:
            self._running = None

    def _dtype(self, name: str, array: Array) -> str:
        return BFLOAT16 if name in self._bfloat16 else array.dtype.name

    def terminate(self) -> None:
        """Has a run that is under way raise within milliseconds; the session can be used again. For other threads."""
        running = self._running
        if running is not None:
            running.terminate = True

    def close(self) -> None:
        """Frees it, whoever still refers to it."""
        self._session = None
        self.files.close()


def _opened(files: ComponentFiles, threads: int, options: OnnxOptions) -> onnxruntime.InferenceSession:
    with telling_out_of_memory(), telling_broken_graph(files.component.name):
        return onnxruntime.InferenceSession(
            str(files.path("graph")), _session_options(threads, options), providers=["CPUExecutionProvider"]
        )


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
