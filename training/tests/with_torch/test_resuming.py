"""A run that was interrupted ends with the weights of one that was not."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training.learning.checkpoint import Learner, begin, read_average, steps_done
from training.learning.loop import Lesson, checkpoint_path, learn
from training.learning.optimisers import muon_and_adamw
from training.learning.schedule import Plan
from training.settings import Settings
from training.stages.state import pack, unpack, write_restored

STEPS = 30
PLAN = Plan(steps=STEPS, rate=1e-2, warm_up=5)


def new_learner() -> Learner:
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(4, 8), nn.SiLU(), nn.Linear(8, 4))
    return begin(network, muon_and_adamw(network, PLAN.rate, ("2",)))


def lesson(learner: Learner, *, interrupt_at: int | None = None) -> Lesson:
    def batch_loss(random: torch.Generator) -> Tensor:
        if learner.step == interrupt_at:
            signal.raise_signal(signal.SIGTERM)
        x = torch.randn(16, 4, generator=random)
        return (learner.network(x) - x.flip(1)).square().mean()

    return Lesson("mirror", 16, PLAN, batch_loss, torch.device("cpu"))


def run(folder: Path, *, interrupt_at: int | None = None) -> None:
    learner = new_learner()
    learn(lesson(learner, interrupt_at=interrupt_at), learner, Settings(folder))


def test_an_interrupted_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    for folder in (undisturbed, disturbed):
        folder.mkdir()
    run(undisturbed)
    with pytest.raises(SystemExit):
        run(disturbed, interrupt_at=11)
    assert steps_done(checkpoint_path(Settings(disturbed), "mirror")) == 12
    run(disturbed)

    wanted = read_average(checkpoint_path(Settings(undisturbed), "mirror"))
    got = read_average(checkpoint_path(Settings(disturbed), "mirror"))
    assert all(torch.equal(got[name], value) for name, value in wanted.items())


def test_a_stage_that_is_done_does_nothing(tmp_path: Path) -> None:
    run(tmp_path)
    path = checkpoint_path(Settings(tmp_path), "mirror")
    before = path.read_bytes()
    run(tmp_path, interrupt_at=0)
    assert path.read_bytes() == before


def test_a_restored_state_begins_a_new_leg_at_its_step(tmp_path: Path) -> None:
    run(tmp_path)
    path = checkpoint_path(Settings(tmp_path), "mirror")
    average = read_average(path)
    write_restored(unpack(pack(average)), STEPS, path)

    learner = new_learner()
    learn(lesson(learner), learner, Settings(tmp_path))
    assert (learner.step, learner.leg_start) == (STEPS, STEPS)
    assert all(torch.equal(learner.average[name], value.bfloat16().float()) for name, value in average.items())


def test_packing_keeps_whole_numbers_whole() -> None:
    tensors = {"count": torch.tensor([7_000_000_001]), "weight": torch.tensor([0.5, -1.25])}
    assert all(torch.equal(value, tensors[name]) for name, value in unpack(pack(tensors)).items())
