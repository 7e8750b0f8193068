"""Where networks learn: a GPU if there is one, else the CPU."""

from __future__ import annotations

import torch


def choose_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_precision(device: torch.device) -> torch.autocast:
    """bfloat16 where it is safe; weights and their updates stay float32."""
    return torch.autocast(device.type, torch.bfloat16)
