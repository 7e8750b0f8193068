"""Files as a server names them in a LOAD after it has verified them."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.support.requests import load_meta


def verified(path: Path) -> dict[str, Any]:
    """What a file is now."""
    status = path.stat()
    return {
        "path": str(path),
        "device": str(status.st_dev),
        "inode": str(status.st_ino),
        "sizeBytes": status.st_size,
        "modifiedNs": str(status.st_mtime_ns),
        "changedNs": str(status.st_ctime_ns),
    }


def load_of_noop(*files: Mapping[str, Any], model: int = 1) -> dict[str, Any]:
    """A LOAD of the no-op program's model, made from these files."""
    manifest = {"name": "noop", "engine": "none", "components": [], "graph": [{"program": "noop"}]}
    return {"model": model, "manifest": manifest, "directory": "/", "components": [], "files": list(files)}


def load_of_folder(folder: Path, model: int = 1) -> dict[str, Any]:
    """A LOAD of a model's folder as it is now."""
    meta = load_meta(folder, model)
    paths = [file["path"] for component in meta["manifest"]["components"] for file in component["files"]]
    return meta | {"files": [verified(folder / path) for path in paths]}


def copy_of(model: Path, folder: Path) -> Path:
    """A model's folder of one's own, which may be spoilt."""
    manifest = msgspec.json.decode((model / "model.json").read_bytes())
    folder.mkdir()
    shutil.copyfile(model / "model.json", folder / "model.json")
    for component in manifest["components"]:
        for file in component["files"]:
            shutil.copyfile(model / file["path"], folder / file["path"])
    return folder
