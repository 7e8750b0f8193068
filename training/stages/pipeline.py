"""From a prompt to a file: the steps that the server takes with the exported components, and how they are opened."""

from __future__ import annotations

from typing import Any

# Of the classifier that checks pictures, as a component of this model.
SAFETY_CHECKER = "safety_checker"

# Opened with their weights rearranged: without, the last bits of a row depend on the size of its batch and on threads.
PREPACKED = ("unet", "text_encoder")

EACH = {"each": "picture"}
AFTERWARDS = {"stage": "postprocessing"}
# Limits are the knees of the measured curves of time over batch size (bench/RESULTS.md): a UNet gains little on a CPU.
PIPELINE: list[dict[str, Any]] = [
    {
        "node": "encode",
        "program": "encode_text",
        "components": ["text_encoder"],
        "after": [],
        "batchLimit": 16,
    },
    {
        "node": "denoise",
        "program": "denoise",
        "components": ["unet", "preview_decoder", SAFETY_CHECKER],
        "after": ["encode"],
        "batchLimit": 2,
        **EACH,
    },
    {
        "node": "decode",
        "program": "decode_latents",
        "components": ["vae_decoder"],
        "after": ["denoise"],
        "batchLimit": 4,
        **EACH,
    },
    {
        "node": "check",
        "program": "check_picture",
        "components": [SAFETY_CHECKER],
        "after": ["decode"],
        "when": "check",
        **EACH,
        **AFTERWARDS,
    },
    {
        "node": "upscale",
        "program": "upscale_picture",
        "components": ["upscaler"],
        "after": ["decode"],
        "when": "upscale",
        **EACH,
        **AFTERWARDS,
    },
    {
        "node": "write",
        "program": "write_picture",
        "components": [],
        "after": ["decode", "upscale"],
        **EACH,
        **AFTERWARDS,
    },
]
