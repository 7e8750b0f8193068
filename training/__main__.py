"""`python3 -m training`: from nothing to a finished model, stage by stage; what is done is skipped.

    python3 -m training                     every stage, in order
    python3 -m training denoiser evaluate   only these
    python3 -m training state               writes training/state/, for going on elsewhere
    python3 -m training place               puts what was exported into models/

See README.md for stages, settings and how long they take.
"""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from training.environment import enter_environment
from training.settings import REPOSITORY, Settings

STAGES = (
    "draw",
    "restore",
    "autoencoder",
    "latents",
    "draft",
    "denoiser",
    "judge",
    "decoder",
    "upscaler",
    "preview",
    "evaluate",
    "export",
)
ON_REQUEST = ("state", "place")


def main() -> None:
    arguments = read_arguments()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    enter_environment(arguments.folder, arguments.threads)
    from training.run import run_stages

    run_stages(arguments.stages or list(STAGES), settings_from(arguments))


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m training", description="Trains ember, the starter image model.")
    parser.add_argument(
        "stages", nargs="*", choices=[[], *STAGES, *ON_REQUEST], metavar="STAGE", help=", ".join(STAGES + ON_REQUEST)
    )
    for setting in fields(Settings):
        option = "--" + setting.name.replace("_", "-")
        if setting.name == "folder":
            parser.add_argument(option, type=Path, default=REPOSITORY / "data" / "ember", help="where the run lives")
        else:
            parser.add_argument(
                option, type=type(setting.default), default=setting.default, help=f"default {setting.default}"
            )
    arguments = parser.parse_args()
    arguments.folder = arguments.folder.resolve()
    return arguments


def settings_from(arguments: argparse.Namespace) -> Settings:
    return Settings(**{setting.name: getattr(arguments, setting.name) for setting in fields(Settings)})


if __name__ == "__main__":
    main()
