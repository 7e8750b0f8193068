"""Runs stages in order. Each skips what is done already, so the same command goes on wherever it was."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from training.learning.progress import say
from training.pictures.draw import INDEX_FILE, draw_icons
from training.settings import Settings
from training.stages.evaluate import evaluate
from training.stages.export import export
from training.stages.make_latents import make_latents
from training.stages.place import place
from training.stages.polish_decoder import polish_decoder
from training.stages.state import restore_state, write_state
from training.stages.train_autoencoder import train_autoencoder
from training.stages.train_denoiser import train_denoiser
from training.stages.train_draft import train_draft
from training.stages.train_judge import train_judge
from training.stages.train_preview import train_preview
from training.stages.train_upscaler import train_upscaler

REPORT_PICTURES = 500

STAGES: dict[str, Callable[[Settings], None]] = {
    "draw": lambda settings: draw(settings),
    "restore": restore_state,
    "autoencoder": train_autoencoder,
    "latents": make_latents,
    "draft": train_draft,
    "denoiser": train_denoiser,
    "judge": train_judge,
    "decoder": polish_decoder,
    "upscaler": train_upscaler,
    "preview": train_preview,
    "evaluate": evaluate,
    "export": export,
    "state": write_state,
    "place": place,
}


def run_stages(names: list[str], settings: Settings) -> None:
    torch.set_num_threads(settings.threads)
    for name in names:
        began = time.monotonic()
        say(f"== {name}")
        STAGES[name](settings)
        say(f"== {name}: done after {time.monotonic() - began:.0f} s")


def draw(settings: Settings) -> None:
    if settings.path(INDEX_FILE).exists():
        return
    draw_icons(
        settings.folder, lambda done, total: say(f"draw: {done} of {total}") if done % REPORT_PICTURES == 0 else None
    )
