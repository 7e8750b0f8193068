"""The learning rate over a leg."""

from __future__ import annotations

import pytest

from training.learning.schedule import Plan, average_at, rate_at

PLAN = Plan(steps=1000, rate=2.0, warm_up=100, fall=0.5)


def test_the_rate_warms_up_holds_and_falls() -> None:
    rates = [rate_at(PLAN, step, leg_start=0) for step in (0, 49, 99, 400, 750, 999)]
    assert rates == pytest.approx([0.02, 1.0, 2.0, 2.0, 1.0, 0.02], abs=0.03)


def test_a_leg_that_begins_later_warms_up_again() -> None:
    assert rate_at(PLAN, 500, leg_start=500) == pytest.approx(0.02)
    assert rate_at(PLAN, 600, leg_start=500) == pytest.approx(2.0)


def test_the_rate_never_reaches_zero() -> None:
    assert all(rate_at(PLAN, step, leg_start=0) > 0 for step in range(2000))


def test_a_longer_plan_goes_back_to_holding() -> None:
    longer = Plan(steps=4000, rate=2.0, warm_up=100, fall=0.5)
    assert rate_at(PLAN, 900, leg_start=0) < rate_at(longer, 900, leg_start=0) == 2.0


def test_the_average_forgets_the_beginning() -> None:
    assert average_at(PLAN, 0) < 0.2
    assert average_at(PLAN, 100_000) == PLAN.average
