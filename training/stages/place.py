"""Puts the exported model where the server finds it: `models/ember` and `models/ember-upscaler` of this repository.

Set-up adds what is not ours to commit twice: the safety checker, and the upscaler's files beside its own manifest.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from training.learning.progress import say
from training.settings import REPOSITORY, Settings
from training.stages.manifest import NAME
from training.stages.names import EXPORT_FOLDER, UPSCALER_EXPORT_FOLDER


def place(settings: Settings) -> None:
    """What is there is replaced file by file, each by rename: a server that runs goes on with what it has loaded."""
    for exported, name in (
        (EXPORT_FOLDER, NAME),
        (UPSCALER_EXPORT_FOLDER, f"{NAME}-upscaler"),
    ):
        folder = REPOSITORY / "models" / name
        folder.mkdir(parents=True, exist_ok=True)
        # What the new manifest does not describe any more must not lie beside it; set-up links it anew.
        for old in folder.iterdir():
            if old.suffix in {".onnx", ".safetensors"} and not (settings.path(exported) / old.name).exists():
                old.unlink()
        # The manifest last: until it is there, the files are those of nobody.
        for file in sorted(
            settings.path(exported).iterdir(),
            key=lambda file: file.name == "model.json",
        ):
            replace(folder / file.name, file)
        say(f"place: {folder}")


def replace(target: Path, source: Path) -> None:
    partial = target.with_name(f".{target.name}.partial")
    shutil.copyfile(source, partial)
    partial.replace(target)
