"""The learning rate over a leg of training: warm up, hold, fall to zero.

A leg is one uninterrupted plan, perhaps of several days. A run that was handed over without its optimiser's momentum
begins a new leg, so it warms up again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How a network learns. Steps are optimiser steps; `fall` is the part of the leg in which the rate falls."""

    steps: int
    rate: float
    warm_up: int = 100
    fall: float = 0.4
    rate_floor: float = 0.01
    average: float = 0.999
    clip: float = 1.0


def rate_at(plan: Plan, step: int, leg_start: int) -> float:
    """The learning rate of step number `step` (from 0) in a leg that began at `leg_start` and ends at `plan.steps`."""
    done = step - leg_start
    length = max(1, plan.steps - leg_start)
    rising = min(1.0, (done + 1) / plan.warm_up)
    falling = min(1.0, (length - done) / max(1.0, plan.fall * length))
    return plan.rate * max(plan.rate_floor, min(rising, falling))


def average_at(plan: Plan, step: int) -> float:
    """How much of the average of weights is kept at `step`: little at first, so that it forgets the beginning."""
    return min(plan.average, (step + 1) / (step + 10))
