"""The virtual environment of training: made on the first run, apart from Hearth's own. Only built-in modules."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
STAMP = "ember-requirements.sha256"
INSTALL_SECONDS_MAX = 3600

# Idle threads sleep instead of spinning: training shares the machine with whatever else a person does.
QUIET_THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}


def enter_environment(folder: Path, threads: int) -> None:
    """Goes on in `folder`'s virtual environment, made first if need be; returns if this process is there already."""
    home = folder / "venv"
    python = home / "bin" / "python"
    if Path(sys.prefix).resolve() == home.resolve() and os.environ.get("OMP_NUM_THREADS") == str(threads):
        return
    make_environment(home, python)
    here = Path(__file__).resolve().parent.parent
    environment = {**os.environ, **QUIET_THREADS, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(here)}
    os.execve(python, [str(python), "-m", "training", *sys.argv[1:]], environment)  # noqa: S606 - the very same command


def make_environment(home: Path, python: Path) -> None:
    """Creates and fills the environment; does nothing when its stamp names the present requirements."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    stamp = home / STAMP
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    sys.stdout.write(f"Setting up {home}: torch and seven more packages, some minutes the first time.\n")
    sys.stdout.flush()
    # Always from nothing: what an interrupted installation left half-done must not survive.
    venv.create(home, with_pip=True, clear=True, symlinks=True)
    subprocess.run(  # noqa: S603 - every argument is ours
        [python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "-r", REQUIREMENTS],
        check=True,
        timeout=INSTALL_SECONDS_MAX,
    )
    stamp.write_text(wanted)
