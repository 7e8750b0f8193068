"""What a stage has learnt so far, in one safetensors file, replaced as a whole.

A kill at any instant loses no more than the steps since the last one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn


@dataclass
class Learner:
    """A network, the average of its weights over time, its optimisers, and how far they are."""

    network: nn.Module
    optimisers: list[torch.optim.Optimizer]
    average: dict[str, Tensor]
    step: int = 0
    leg_start: int = 0


def begin(network: nn.Module, optimisers: list[torch.optim.Optimizer]) -> Learner:
    return Learner(network, optimisers, {name: value.detach().clone() for name, value in network.state_dict().items()})


def write_checkpoint(learner: Learner, path: Path) -> None:
    """Writes weights, averages and the optimisers' memory beside `path`, then renames."""
    tensors = {f"weights/{name}": value for name, value in learner.network.state_dict().items()}
    tensors |= {f"average/{name}": value for name, value in learner.average.items()}
    names = {id(weight): name for name, weight in learner.network.named_parameters()}
    for optimiser in learner.optimisers:
        for weight, memory in optimiser.state.items():
            tensors |= {f"memory/{key}/{names[id(weight)]}": torch.as_tensor(value) for key, value in memory.items()}
    partial = path.with_suffix(".partial")
    counts = {"step": str(learner.step), "leg_start": str(learner.leg_start)}
    save_file({name: value.detach().contiguous().cpu() for name, value in tensors.items()}, partial, metadata=counts)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def read_checkpoint(learner: Learner, path: Path) -> None:
    """Puts `learner` where the file says it was. A file without optimiser memory begins a new leg."""
    weights: dict[str, Tensor] = {}
    average: dict[str, Tensor] = {}
    memory: dict[str, dict[str, Tensor]] = {}
    with safe_open(path, "pt") as file:
        counts = file.metadata()
        for full_name in file.keys():  # noqa: SIM118 - the file is no mapping
            kind, _, name = full_name.partition("/")
            if kind == "memory":
                key, _, name = name.partition("/")
                memory.setdefault(name, {})[key] = file.get_tensor(full_name)
            else:
                (weights if kind == "weights" else average)[name] = file.get_tensor(full_name)
    learner.network.load_state_dict(weights)
    for name, value in average.items():
        learner.average[name].copy_(value)
    learner.step = int(counts["step"])
    learner.leg_start = int(counts["leg_start"]) if memory else learner.step
    restore_memory(learner, memory)


def restore_memory(learner: Learner, memory: dict[str, dict[str, Tensor]]) -> None:
    by_name = dict(learner.network.named_parameters())
    for name, entries in memory.items():
        weight = by_name[name]
        owner = next(o for o in learner.optimisers if any(weight is w for g in o.param_groups for w in g["params"]))
        # AdamW keeps its count of steps on the CPU; everything else lives beside the weight.
        owner.state[weight] = {k: v if k == "step" else v.to(weight.device) for k, v in entries.items()}


def read_average(path: Path) -> dict[str, Tensor]:
    """The averaged weights alone: what is evaluated and exported."""
    with safe_open(path, "pt") as file:
        names = [name for name in file.keys() if name.startswith("average/")]  # noqa: SIM118
        return {name.removeprefix("average/"): file.get_tensor(name) for name in names}


def steps_done(path: Path) -> int:
    """How many steps a checkpoint holds; 0 if there is none."""
    if not path.exists():
        return 0
    with safe_open(path, "pt") as file:
        return int(file.metadata()["step"])
