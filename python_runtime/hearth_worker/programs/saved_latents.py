"""A picture that is being denoised, written down: what `save` gives and `restore` takes.

Little endian: 4 bytes `HLAT`, version (uint16), channels (uint16), height and width (uint32), total steps and steps
done (uint32), previews made and the step of the last (uint32), seed (uint64), CRC-32 of all else (uint32); then the
latents, float32, last axis fastest.
"""

import struct
from zlib import crc32

import numpy as np
from msgspec import Struct

from hearth_worker.engines.onnx_values import Array
from hearth_worker.programs.preview_budget import PreviewsMade

MAGIC = b"HLAT"
VERSION = 1
HEAD = struct.Struct("<4sHHIIIIIIQ")
CHECKSUM = struct.Struct("<I")


class BrokenCheckpoint(Exception):  # noqa: N818
    """What was saved of a task cannot be gone on from, in words."""


class SavedLatents(Struct, frozen=True):
    """`latents` is float32 [channels, height, width] after `step` of `steps` steps."""

    latents: Array
    step: int
    steps: int
    seed: int
    previews: PreviewsMade


def pack(saved: SavedLatents) -> bytes:
    """As the format above says."""
    channels, height, width = saved.latents.shape
    previews = saved.previews
    fields = (channels, height, width, saved.steps, saved.step, previews.count, previews.last_step, saved.seed)
    head = HEAD.pack(MAGIC, VERSION, *fields)
    data = np.ascontiguousarray(saved.latents, "<f4").tobytes()
    return head + CHECKSUM.pack(crc32(data, crc32(head))) + data


def unpack(data: bytes) -> SavedLatents:
    """Raises BrokenCheckpoint for what `pack` has not made, or has made in another version."""
    start = HEAD.size + CHECKSUM.size
    if len(data) < start or data[:4] != MAGIC:
        raise BrokenCheckpoint(f"These {len(data)} bytes are no checkpoint of a picture.")
    _, version, channels, height, width, steps, step, count, last_step, seed = HEAD.unpack_from(data)
    if version != VERSION:
        raise BrokenCheckpoint(f"The checkpoint is of version {version}; this worker reads version {VERSION}.")
    (checksum,) = CHECKSUM.unpack_from(data, HEAD.size)
    if crc32(data[start:], crc32(data[: HEAD.size])) != checksum:
        raise BrokenCheckpoint("The checkpoint is cut off or was changed: its checksum is another one.")
    latents = np.frombuffer(data, "<f4", offset=start)
    if latents.size != channels * height * width:
        raise BrokenCheckpoint(f"The checkpoint has {latents.size} values for {channels} x {height} x {width}.")
    return SavedLatents(
        latents.reshape(channels, height, width).astype(np.float32), step, steps, seed, PreviewsMade(count, last_step)
    )
