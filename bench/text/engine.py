"""The engine alone: llama.cpp in this process, with the options that Hearth gives it, driven by nothing but its callbacks.

    python engine.py MODEL_FOLDER THREADS

Reads one line of JSON per round, `{"prompts": [...], "maxTokens": n}`: every prompt is a stream of its own, all at the
same time. Answers with one line, `{"tokens": n, "elapsedMs": ms, "firstTokenMs": [...]}`. Standard error is the engine's.
"""

import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import xllamacpp

PROMPT_BATCH_TOKENS = 128
WARNINGS = 2


def main(folder: Path, threads: int) -> None:
    manifest = json.loads((folder / "model.json").read_text())
    server = load(folder, manifest, threads)
    slots = manifest["options"]["slots"]
    print("ready", flush=True)
    with ThreadPoolExecutor(slots) as pool:
        for line in sys.stdin:
            request = json.loads(line)
            started_at = time.perf_counter()
            streams = [pool.submit(write, server, prompt, request["maxTokens"]) for prompt in request["prompts"]]
            results = [stream.result() for stream in streams]
            answer = {
                "tokens": sum(tokens for tokens, _ in results),
                "elapsedMs": (time.perf_counter() - started_at) * 1000,
                "firstTokenMs": [(first_at - started_at) * 1000 for _, first_at in results],
            }
            print(json.dumps(answer), flush=True)


def load(folder: Path, manifest: dict, threads: int) -> xllamacpp.Server:
    """As hearth_worker/engines/llama_cpp.py loads it."""
    options = manifest["options"]
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(folder / manifest["components"][0]["files"][0]["path"])
    parameters.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_MMAP
    parameters.n_parallel = options["slots"]
    parameters.n_ctx = options["slots"] * options["contextTokens"]
    parameters.n_batch = options.get("promptBatchTokens", PROMPT_BATCH_TOKENS)
    parameters.n_ubatch = parameters.n_batch
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.fit_params = False
    parameters.cache_ram_mib = 0
    parameters.cache_idle_slots = False
    parameters.verbosity = WARNINGS
    parameters.n_threads_http = 1
    parameters.ui = False
    parameters.endpoint_slots = False
    # The library opens a server of its own; nobody is to reach it.
    with tempfile.TemporaryDirectory() as private_folder:
        parameters.hostnames = [f"{private_folder}/closed.sock"]
        parameters.api_keys = [os.urandom(16).hex()]
        return xllamacpp.Server(parameters)


def write(server: xllamacpp.Server, prompt: str, max_tokens: int) -> tuple[int, float]:
    """The number of tokens written, and when the first was there."""
    tokens = 0
    first_at = 0.0

    def take(data: bytes) -> bool:
        nonlocal tokens, first_at
        chunk = json.loads(data)
        if "error" in chunk:
            raise RuntimeError(chunk["error"])
        if first_at == 0.0 and any(choice["delta"].get("content") for choice in chunk["choices"]):
            first_at = time.perf_counter()
        if chunk.get("usage"):
            tokens = chunk["usage"]["completion_tokens"]
        return False

    request = {
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": max_tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
        "reasoning_format": "none",
    }
    server.handle_chat_completions(json.dumps(request).encode(), take)
    return tokens, first_at


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
