"""The model card, written from what was measured: no figure in it is typed by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from training.learning.checkpoint import steps_done
from training.learning.loop import checkpoint_path
from training.pictures.icons import PACKAGES, STYLES
from training.settings import Settings
from training.stages.evaluate import GRID_COLUMNS, GRID_FILE
from training.stages.names import DENOISER, SCORES_FILE
from training.vocabulary.colours import COLOUR_NAMES
from training.vocabulary.objects import read_objects

CARD_FILE = "README.md"
GRID_IN_CARD = "grid.png"

# What a score must reach before strangers recognise things; shown beside what was reached.
GOALS = {
    "pictureObjectTop1": 0.90,
    "pictureStyle": 0.95,
    "pictureBackground": 0.98,
    "judgeObjectTop1": 0.97,
    "autoencoderUnseenDecibels": 28.0,
}


def write_model_card(settings: Settings, folder: Path, proof: dict[str, Any]) -> None:
    """Writes README.md and the evaluation's grid into `folder`. Without an evaluation there is no card to write."""
    scores_path = settings.path(SCORES_FILE)
    if not scores_path.exists():
        return
    # A quarter of the size; of flat drawings nobody sees the difference.
    Image.open(settings.path(GRID_FILE)).quantize(256).save(folder / GRID_IN_CARD, optimize=True)
    scores = json.loads(scores_path.read_text())
    parts = [introduction(), data_and_licences(), run(settings), scores_table(scores), limits(), grid(), cost(proof)]
    (folder / CARD_FILE).write_text("\n\n".join(parts) + "\n")


def introduction() -> str:
    return f"""# ember

A small text-to-image model: {len(read_objects())} everyday objects, {len(STYLES)} styles, {len(COLOUR_NAMES)}
background colours, 64x64 pixels (128x128 upscaled). A latent flow-matching UNet with a text encoder of its own, trained
from nothing. Architecture and interface: `training/README.md`."""


def data_and_licences() -> str:
    rows = "\n".join(f"| `{p.name}` | {p.version} | {p.licence} | {p.style} |" for p in PACKAGES)
    return f"""## Data

| package | version | licence | style |
|---|---|---|---|
{rows}

Icons drawn at 128x128; skin tones, flags and signs of letters left out. Each object misses one background in training;
all scores are on those."""


def run(settings: Settings) -> str:
    steps = steps_done(checkpoint_path(settings, DENOISER))
    entries = [json.loads(line) for line in settings.path("curves.jsonl").read_text().splitlines()]
    curve = thinned([e for e in entries if e["stage"] == DENOISER and e["loss"] is not None])
    batch = settings.denoiser_batch
    rows = "\n".join(f"| {e['step']} | {e['step'] * batch} | {e['loss']:.3f} |" for e in curve)
    return f"""## Run

{steps} steps of {batch} pictures, Muon and AdamW. Loss: velocity plus a quarter of the draft's. The curve is that of
the last leg; legs before it ran elsewhere (`training/README.md`).

| step | pictures | loss |
|---|---|---|
{rows}"""


def thinned(entries: list[dict[str, Any]], count: int = 12) -> list[dict[str, Any]]:
    """About `count` entries, the last among them."""
    stride = max(1, len(entries) // count)
    return entries[::-1][::stride][::-1]


def scores_table(scores: dict[str, float]) -> str:
    rows = "\n".join(f"| {name} | {value:.4g} | {GOALS.get(name, '')} |" for name, value in scores.items())
    return f"## Scores\n\n| score | reached | goal |\n|---|---|---|\n{rows}"


def limits() -> str:
    return """## Limits

Knows only the words listed in `model.json` under `knownWords`; every other word changes nothing a user could foresee.
One object in the middle of a plain background: no counting, no positions, no two objects. Each object has one drawing
per style, so seeds change place and detail, not the idea. Without a style the two drawings blend.

The judge learnt from the same drawings: its scores say that the right one was drawn, not how well. Looked at one by
one, nearly every picture of the grid can be named. Outlines are a little soft; thin or ragged things (spider, bat,
bicycle, scooter, flamingo) are the weakest, and things on a background of their own colour (egg on orange, deer on
yellow) nearly vanish."""


def grid() -> str:
    return f"""## Grid

Every object in both styles on the background it was never shown on, in the order of `training/vocabulary/objects.txt`,
{GRID_COLUMNS} a row, seeds in order; nothing was picked.

![every object in both styles]({GRID_IN_CARD})"""


def cost(proof: dict[str, Any]) -> str:
    rows = "\n".join(component_row(component) for component in proof["components"])
    speed = proof["milliseconds"]
    return f"""## Export

| component | MB | greatest difference to torch |
|---|---|---|
{rows}

The bytes of a row depend neither on the size of its batch (1 to 16) nor on the number of threads (1, 2, 4): the export
fails otherwise.

One picture, {speed["steps"]} steps with guidance, on one core: {speed["pictureMs"]} ms, first preview after
{speed["firstPreviewMs"]} ms (best of {speed["attempts"]}; load of the machine {speed["machineLoad"]})."""


def component_row(component: dict[str, Any]) -> str:
    difference = component["greatest_difference"]
    return f"| {component['name']} | {component['megabytes']:.2f} | {difference:.1e} |"
