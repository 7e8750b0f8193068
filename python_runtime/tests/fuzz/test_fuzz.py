"""A small share of what `npm run fuzz -- --inputs 1000000` does, always the same."""

import pytest

from tests.fuzz.run import run_target
from tests.fuzz.targets import TARGETS

INPUTS = 2000
SEED = 1


@pytest.mark.parametrize("name", [target.name for target in TARGETS])
def test_no_crash_no_hang_no_growth(name: str) -> None:
    outcome = run_target(name, INPUTS, SEED)
    assert outcome.problem is None
    assert outcome.done >= INPUTS
