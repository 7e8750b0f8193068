"""Settings of a training run, with their defaults; each is an option of the command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "training"

# Small enough for git, committed at most three times in the model's life (see stages/state.py).
STATE_FOLDER = PACKAGE / "state"


@dataclass(frozen=True)
class Settings:
    """One run. Folders are absolute; steps count optimiser steps, batches count pictures."""

    folder: Path
    threads: int = 1
    seed: int = 20260

    # How long each part learns. A stage that has done its steps is skipped; raise a number to go on.
    vae_steps: int = 2000
    decoder_steps: int = 1000
    draft_steps: int = 2000
    denoiser_steps: int = 30000
    judge_steps: int = 2200
    upscaler_steps: int = 1500
    preview_steps: int = 1500

    vae_batch: int = 16
    draft_batch: int = 256
    denoiser_batch: int = 32
    denoiser_average: float = 0.998
    judge_batch: int = 64

    # How pictures are drawn from prompts, in evaluation and by default in the exported model.
    sampling_steps: int = 20
    guidance: float = 3.0

    # Latents kept in memory for each picture (object x style), each moved a little differently.
    variants: int = 33

    # Checkpoints and reports come by time, so that a slow machine loses as little as a fast one.
    checkpoint_every_seconds: float = 60.0
    report_every_seconds: float = 10.0
    grid_every_seconds: float = 600.0

    def path(self, name: str) -> Path:
        """A file of this run."""
        return self.folder / name
