"""llama.cpp with its own continuous batching (xllamacpp's server, in this process), as streams that it fills.

The library also opens an HTTP server without credentials. It is given a socket in a private folder, which is removed at
once: nobody can connect.
"""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import xllamacpp
from msgspec import Struct, ValidationError, convert

from hearth_worker import process
from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import Manifest, find_component
from hearth_worker.engines.text_request import PromptReader, TextRequest, front_of, front_probe
from hearth_worker.engines.text_stream import TextStream
from hearth_worker.failures import LoadFailed
from hearth_worker.protocol.reports import TensorPort

# Its warnings are about ordinary events: a prompt it has seen before, a text that was cancelled.
ERRORS_ONLY = 1


class LlamaCppOptions(Struct, rename="camel", frozen=True):
    """`slots`: texts that are written at the same time; `context_tokens`: prompt and answer of each."""

    slots: int = 4
    context_tokens: int = 2048
    # Tokens of prompts that one run takes: other texts go on, and a cancelled one ends, between two runs.
    prompt_batch_tokens: int = 128


class LlamaCppModel:
    """A loaded GGUF file. Each slot has a caller: a thread that waits in the library while its text is written."""

    inputs: list[TensorPort] | None = None
    outputs: list[TensorPort] | None = None

    def __init__(
        self,
        manifest: Manifest,
        options: LlamaCppOptions,
        server: xllamacpp.Server,
        weights_bytes: int,
        wake: Callable[[], None],
    ) -> None:
        self.manifest = manifest
        self._front = _front_of(server)
        self._wake = wake
        self.slots = options.slots
        self.weights_bytes = weights_bytes
        self._server = server
        self._calls: SimpleQueue[tuple[TextRequest, TextStream] | None] = SimpleQueue()
        self._callers = [Thread(target=self._call, name=f"slot-{slot}", daemon=True) for slot in range(options.slots)]
        for caller in self._callers:
            caller.start()

    def write(self, request: TextRequest) -> TextStream:
        """Has the engine write into the stream that is returned what is not written yet."""
        stream = TextStream(self._wake)
        self._calls.put((request, stream))
        return stream

    def close(self) -> None:
        """Waits for texts that were cancelled but are still in the engine, then frees everything."""
        for _ in self._callers:
            self._calls.put(None)
        for caller in self._callers:
            caller.join()
        del self._server

    def _call(self) -> None:
        while call := self._calls.get():
            request, stream = call
            try:
                if not stream.is_cancelled and not stream.is_left:
                    self._write(request, stream)
            except Exception as error:  # Whatever the library raises is this text's failure, and the caller lives on.
                stream.fail(str(error))
            else:
                stream.end()

    def _write(self, request: TextRequest, stream: TextStream) -> None:
        if not request.text:
            self._server.handle_chat_completions(request.from_the_beginning(), stream.take_chunk)
            return
        reader = PromptReader(stream)
        self._server.handle_chat_completions(request.for_its_prompt(), reader.take_chunk)
        if reader.prompt is not None and not stream.is_cancelled:
            prompt = reader.prompt.removeprefix(self._front)
            self._server.handle_completions(request.from_where_it_was(prompt, reader.stop), stream.take_chunk)


class LlamaCppEngine:
    """Runs GGUF models on the CPU."""

    def __init__(self, settings: EngineSettings) -> None:
        self._threads = settings.threads
        self._wake = settings.wake
        self.versions: Mapping[str, str] = {"xllamacpp": version("xllamacpp")}

    def load(self, manifest: Manifest, directory: Path, components: Sequence[str]) -> LlamaCppModel:
        """Maps the weights; allocates and clears the memory of all slots' contexts."""
        if len(components) != 1:
            raise LoadFailed(f"A GGUF model is one component, not {len(components)}.")
        options = _options(manifest)
        files = find_component(manifest, directory, components[0])
        with tempfile.TemporaryDirectory(prefix="hearth-") as private_folder:
            parameters = _parameters(options, files.path("weights"), self._threads, f"{private_folder}/closed.sock")
            try:
                # The library installs signal handlers of its own.
                with process.keeping_signals():
                    server = xllamacpp.Server(parameters)
            except RuntimeError as error:
                raise LoadFailed(f"llama.cpp cannot load model {manifest.name!r}; its reason is in the log.") from error
        return LlamaCppModel(manifest, options, server, files.size_bytes("weights"), self._wake)


def _front_of(server: xllamacpp.Server) -> str:
    answers: list[bytes] = []
    server.handle_completions(front_probe(), answers.append)
    return front_of(answers[0])


def _options(manifest: Manifest) -> LlamaCppOptions:
    try:
        return convert(manifest.options, LlamaCppOptions)
    except ValidationError as error:
        raise LoadFailed(f"The options of model {manifest.name!r} cannot be read: {error}.") from error


def _parameters(options: LlamaCppOptions, weights: Path, threads: int, socket_path: str) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_MMAP
    parameters.n_parallel = options.slots
    parameters.n_ctx = options.slots * options.context_tokens
    parameters.n_batch = options.prompt_batch_tokens
    parameters.n_ubatch = options.prompt_batch_tokens
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    # What the manifest plans is what is used: nothing is shrunk to fit, nothing is cached beside the slots.
    parameters.fit_params = False
    parameters.cache_ram_mib = 0
    parameters.cache_idle_slots = False
    parameters.verbosity = ERRORS_ONLY
    parameters.hostnames = [socket_path]
    parameters.api_keys = [os.urandom(16).hex()]
    parameters.n_threads_http = 1
    parameters.ui = False
    parameters.endpoint_slots = False
    return parameters
