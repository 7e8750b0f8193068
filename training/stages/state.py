"""A compact state for going on elsewhere: the averaged weights of every network, most in bfloat16, packed for git.

Momentum is left out (a new leg warms up again), and so are the last weights: training goes on from their average, which
is better than any one of them. Latents are left out too: the frozen encoder makes the same ones again.
"""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import numpy as np
from safetensors.torch import load, save, save_file
from torch import Tensor

from training.learning.checkpoint import read_average, steps_done
from training.learning.loop import checkpoint_path
from training.learning.progress import say
from training.settings import STATE_FOLDER, Settings
from training.stages.names import AUTOENCODER, DENOISER, JUDGE, POLISHED_DECODER, PREVIEW, UPSCALER

NETWORKS = (AUTOENCODER, POLISHED_DECODER, DENOISER, JUDGE, UPSCALER, PREVIEW)

# The denoiser speaks the encoder's language to the last digit, so rounding would cost it; it is small.
IN_FULL = frozenset({AUTOENCODER})

SUMMARY_FILE = "state.json"
STATE_BYTES_MAX = 25_000_000
UNPACKED_BYTES_MAX = 200_000_000


def write_state(settings: Settings) -> None:
    """Writes `training/state/`: one packed file per network, and which steps they have done."""
    STATE_FOLDER.mkdir(exist_ok=True)
    steps = {}
    for name in NETWORKS:
        path = checkpoint_path(settings, name)
        if not path.exists():
            continue
        steps[name] = steps_done(path)
        (STATE_FOLDER / file_name(name)).write_bytes(pack(read_average(path), in_full=name in IN_FULL))
    summary = {"seed": settings.seed, "steps": steps}
    (STATE_FOLDER / SUMMARY_FILE).write_text(json.dumps(summary, indent=2) + "\n")
    size = sum(file.stat().st_size for file in STATE_FOLDER.iterdir())
    if size > STATE_BYTES_MAX:
        raise ValueError(f"{STATE_FOLDER} has {size} bytes, more than {STATE_BYTES_MAX}. Do not commit it.")
    say(f"state: {size / 1e6:.1f} MB in {STATE_FOLDER}, steps {steps}")


def restore_state(settings: Settings) -> None:
    """Unpacks `training/state/` into checkpoints, wherever this run has none that is as far."""
    summary_path = STATE_FOLDER / SUMMARY_FILE
    if not summary_path.exists():
        return
    for name, step in json.loads(summary_path.read_text())["steps"].items():
        path = checkpoint_path(settings, name)
        if steps_done(path) >= step:
            continue
        write_restored(unpack((STATE_FOLDER / file_name(name)).read_bytes()), step, path)
        say(f"restored {name} at step {step}")


def write_restored(average: dict[str, Tensor], step: int, path: Path) -> None:
    """A checkpoint whose weights are their average and whose optimisers remember nothing."""
    tensors = {f"{kind}/{name}": value.clone() for kind in ("weights", "average") for name, value in average.items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"step": str(step), "leg_start": str(step)})
    partial.replace(path)


def file_name(network: str) -> str:
    return f"{network}.safetensors.xz"


def pack(tensors: dict[str, Tensor], *, in_full: bool = False) -> bytes:
    """safetensors, high bytes apart from low ones: exponents repeat themselves, so they pack well."""
    plain = save({name: v if in_full or not v.is_floating_point() else v.bfloat16() for name, v in tensors.items()})
    even = plain + b"\0" * (len(plain) % 2)
    halves = np.frombuffer(even, np.uint8).reshape(-1, 2).T
    return lzma.compress(len(plain).to_bytes(8, "little") + halves.tobytes())


def unpack(packed: bytes) -> dict[str, Tensor]:
    """What `pack` packed, as float32."""
    raw = lzma.LZMADecompressor().decompress(packed, max_length=UNPACKED_BYTES_MAX)
    length = int.from_bytes(raw[:8], "little")
    halves = np.frombuffer(raw, np.uint8, offset=8).reshape(2, -1)
    tensors = load(halves.T.tobytes()[:length])
    return {name: v.float() if v.is_floating_point() else v for name, v in tensors.items()}
