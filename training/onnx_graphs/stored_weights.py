"""Weights in a safetensors file as float16, and where each lies, so that a graph can point at them."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor


@dataclass(frozen=True)
class StoredWeights:
    """Shape, place and length (bytes from the start of the file) of each tensor in `file_name`."""

    file_name: str
    places: dict[str, tuple[list[int], int, int]]


def store_weights(weights: dict[str, Tensor], path: Path) -> StoredWeights:
    """Writes `weights` as float16 and reads back where they went."""
    save_file({name: value.detach().half().contiguous() for name, value in weights.items()}, path)
    path.chmod(0o644)  # the library writes for the owner alone
    with path.open("rb") as file:
        (header_length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(header_length))
    data_start = 8 + header_length
    places = {
        name: (
            entry["shape"],
            data_start + entry["data_offsets"][0],
            entry["data_offsets"][1] - entry["data_offsets"][0],
        )
        for name, entry in header.items()
        if name != "__metadata__"
    }
    return StoredWeights(path.name, places)
