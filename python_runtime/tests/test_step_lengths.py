"""How long the next step will last, by those before it."""

import pytest

from hearth_worker.step_lengths import LONGEST_DECAY, StepLengths


def test_nobody_knows_before_the_first_step() -> None:
    assert StepLengths().expected_ms(1) is None


def test_a_step_of_more_states_than_any_before_is_expected_to_last_in_proportion() -> None:
    lengths = StepLengths()
    lengths.learn(1, 10)
    assert [lengths.expected_ms(states) for states in (1, 4)] == [10, 40]
    lengths.learn(4, 16)
    assert [lengths.expected_ms(states) for states in (1, 2, 4, 8)] == [10, 20, 16, 32]


def test_the_longest_of_late_counts() -> None:
    lengths = StepLengths()
    lengths.learn(2, 100)
    lengths.learn(2, 1)
    assert lengths.expected_ms(2) == pytest.approx(100 * LONGEST_DECAY)
    lengths.learn(2, 200)
    assert lengths.expected_ms(2) == 200
