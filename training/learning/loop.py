"""The loop that every network learns in: resumable at any instant, the same batches whatever interrupted it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
from torch import Tensor, nn

from training.learning.checkpoint import Learner, read_checkpoint, write_checkpoint
from training.learning.progress import Progress
from training.learning.schedule import Plan, average_at, rate_at
from training.settings import Settings

# Each step's random numbers follow from seed, stage and step alone, so no generator's state is ever stored.
STEPS_PER_SEED = 1_000_000_007

BatchLoss = Callable[[torch.Generator], Tensor]


@dataclass(frozen=True)
class Lesson:
    """What is learnt: the loss of a random batch. `look` is called now and then with the learner, to draw grids."""

    name: str
    batch: int
    plan: Plan
    batch_loss: BatchLoss
    device: torch.device
    look: Callable[[Learner], None] | None = None


def learn(lesson: Lesson, learner: Learner, settings: Settings) -> None:
    """Goes on from the stage's checkpoint until its plan's last step; leaves the checkpoint behind."""
    path = checkpoint_path(settings, lesson.name)
    if path.exists():
        read_checkpoint(learner, path)
    if learner.step >= lesson.plan.steps:
        return
    # Whoever needs the machine for a while may `kill -STOP` and `kill -CONT` this process.
    settings.path("train.pid").write_text(f"{os.getpid()}\n")
    progress = Progress(lesson.name, lesson.plan.steps, lesson.batch, settings.path("curves.jsonl"))
    random = torch.Generator(lesson.device)
    clock = Alarms(settings)
    with termination_noted() as wish:
        while learner.step < lesson.plan.steps and not wish.to_stop:
            random.manual_seed(seed_of(settings.seed, lesson.name, learner.step))
            progress.note(take_step(lesson, learner, random))
            if clock.due("report"):
                progress.report(learner.step)
            if clock.due("checkpoint"):
                write_checkpoint(learner, path)
            if lesson.look is not None and clock.due("grid"):
                lesson.look(learner)
        write_checkpoint(learner, path)
    progress.report(learner.step)
    if wish.to_stop:
        raise SystemExit(128 + signal.SIGTERM)
    if lesson.look is not None:
        lesson.look(learner)


def take_step(lesson: Lesson, learner: Learner, random: torch.Generator) -> float:
    """One optimiser step; returns the batch's loss."""
    plan = lesson.plan
    rate = rate_at(plan, learner.step, learner.leg_start)
    loss = lesson.batch_loss(random)
    learner.network.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(learner.network.parameters(), plan.clip)
    for optimiser in learner.optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
    follow(learner.average, learner.network, 1 - average_at(plan, learner.step))
    learner.step += 1
    return float(loss.detach())


@torch.no_grad()
def follow(average: dict[str, Tensor], network: nn.Module, part: float) -> None:
    """Moves the average towards the weights; counts and other whole numbers are copied."""
    state = network.state_dict()
    moving = [name for name, value in state.items() if value.is_floating_point()]
    torch._foreach_lerp_([average[name] for name in moving], [state[name] for name in moving], part)
    for name in state.keys() - set(moving):
        average[name].copy_(state[name])


def checkpoint_path(settings: Settings, name: str) -> Path:
    return settings.path(f"{name}.safetensors")


def seed_of(seed: int, stage: str, step: int) -> int:
    """A seed of its own for each step of each stage."""
    return (seed * STEPS_PER_SEED + sum(ord(c) * 131**i for i, c in enumerate(stage)) * 1_000_003 + step) % 2**63


class Alarms:
    """Says when something is due again, each in its own rhythm."""

    def __init__(self, settings: Settings) -> None:
        self.every = {
            "report": settings.report_every_seconds,
            "checkpoint": settings.checkpoint_every_seconds,
            "grid": settings.grid_every_seconds,
        }
        self.last = dict.fromkeys(self.every, time.monotonic())

    def due(self, what: str) -> bool:
        now = time.monotonic()
        if now - self.last[what] < self.every[what]:
            return False
        self.last[what] = now
        return True


@dataclass
class Wish:
    to_stop: bool = False


@contextmanager
def termination_noted():  # noqa: ANN201 - a context manager of Wish
    """SIGTERM and SIGINT finish the step and write a checkpoint instead of ending the process at once."""
    wish = Wish()

    def note(_signal: int, _frame: FrameType | None) -> None:
        wish.to_stop = True

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
