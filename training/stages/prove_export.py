"""ONNX Runtime against torch, and against the clock."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from training.settings import Settings
from training.stages.pipeline import PREPACKED
from training.vocabulary.tokenizer import tokenize

# Greatest difference of any output value. Latents and pictures are of the order of 1; float32 adds up to about 1e-5.
TOLERANCE = 1e-4

# Rows that are compared, in batches of several sizes, by as many threads as workers have.
BATCH = 16
BATCHES = (1, 2, 3, 8, 16)
THREADS = (1, 2, 4)

# The best of so many, so that whatever else the machine does disturbs least; its load is reported beside.
ATTEMPTS = 5
PROMPT = "noto dog on a blue background"


@dataclass(frozen=True)
class Proof:
    """How far ONNX Runtime is from torch, with the same float16 weights; and the component's size on disk."""

    name: str
    greatest_difference: float
    megabytes: float


def open_session(folder: Path, name: str, threads: int = 1) -> onnxruntime.InferenceSession:
    """As a worker opens it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.disable_prepacking", "0" if name in PREPACKED else "1")
    return onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])


@torch.no_grad()
def prove(name: str, folder: Path, reference: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> Proof:
    """Raises if any value differs by more than TOLERANCE, or a row's bytes depend on its batch or on threads."""
    rows = [np.tile(x.numpy(), (BATCH // len(x) + 1, *[1] * (x.ndim - 1)))[:BATCH] for x in inputs]
    alone = compute(open_session(folder, name), rows, 1)
    wanted = reference(*(torch.from_numpy(x) for x in rows)).numpy()
    difference = float(np.abs(alone - wanted).max())
    if difference > TOLERANCE:
        raise ValueError(f"{name}: ONNX Runtime differs from torch by {difference:.2e}, more than {TOLERANCE}.")
    for threads in THREADS:
        session = open_session(folder, name, threads)
        for size in BATCHES:
            if not (compute(session, rows, size) == alone).all():
                raise ValueError(
                    f"{name}: rows of batches of {size} with {threads} threads have other bytes than alone."
                )
    sizes = [(folder / f"{name}{ending}").stat().st_size for ending in (".onnx", ".safetensors")]
    return Proof(name, difference, sum(sizes) / 1e6)


def compute(session: onnxruntime.InferenceSession, inputs: list[np.ndarray], size: int) -> np.ndarray:
    """The first output for all rows, `size` of them in each run."""
    ports = [port.name for port in session.get_inputs()]
    runs = [slice(start, start + size) for start in range(0, BATCH, size)]
    return np.concatenate(
        [session.run(None, {port: x[rows] for port, x in zip(ports, inputs, strict=True)})[0] for rows in runs]
    )


def time_one_picture(folder: Path, settings: Settings) -> dict[str, float]:
    """Milliseconds on one core, from the prompt: to the first preview, and to the picture (all steps, guidance)."""
    sessions = {name: open_session(folder, name) for name in ("text_encoder", "unet", "preview_decoder", "vae_decoder")}
    attempts = [draw_once(sessions, settings) for _ in range(ATTEMPTS)]
    best = {name: min(attempt[name] for attempt in attempts) for name in attempts[0]}
    speed = {name: round(value, 1) for name, value in best.items()}
    return {
        **speed,
        "steps": settings.sampling_steps,
        "attempts": ATTEMPTS,
        "machineLoad": round(os.getloadavg()[0], 2),
    }


def draw_once(sessions: dict[str, onnxruntime.InferenceSession], settings: Settings) -> dict[str, float]:
    began = time.perf_counter()
    numbers = np.array([tokenize(PROMPT).numbers, tokenize("").numbers], dtype=np.int64)
    (context,) = sessions["text_encoder"].run(None, {"input_ids": numbers})
    latents = np.random.default_rng(7).standard_normal((1, 4, 16, 16), dtype=np.float32)
    first_preview, steps = 0.0, settings.sampling_steps
    for step in range(steps):
        t = np.full(2, step / steps, dtype=np.float32)
        inputs = {"latents": np.repeat(latents, 2, 0), "times": t, "context": context}
        told, untold = sessions["unet"].run(None, inputs)[0]
        velocity = untold + settings.guidance * (told - untold)
        if step == 0:
            sessions["preview_decoder"].run(None, {"latents": latents + velocity})
            first_preview = time.perf_counter() - began
        latents = latents + velocity[None] / steps
    sessions["vae_decoder"].run(None, {"latents": latents})
    return {"firstPreviewMs": first_preview * 1000, "pictureMs": (time.perf_counter() - began) * 1000}
