"""What a failing step does to the states that shared it; a program that records its calls."""

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

import pytest
from msgspec import Struct

from hearth_worker.failures import Interrupted, OutOfMemory
from hearth_worker.programs.outcomes import Advanced, Done, Failed
from hearth_worker.programs.program import Program, Promise
from hearth_worker.run_step import run_step


class Nothing(Struct, frozen=True):
    """No request."""


class Recorded(Program[Nothing, int, int]):
    """Gives each state back as its output, after `fault` had its say."""

    promise: ClassVar[Promise] = "bitwise"
    request_type: ClassVar[type] = Nothing

    def __init__(self, fault: Callable[[Sequence[int]], None]) -> None:
        self._fault = fault
        self.calls: list[list[int]] = []

    def start(self, request: Nothing) -> int:
        return 0

    def batch_key(self, state: int) -> Hashable:
        return None

    def step(self, states: Sequence[int]) -> Sequence[Advanced[int] | Done[int] | Failed]:
        self.calls.append(list(states))
        self._fault(states)
        return [Done(state) for state in states]


def test_a_step_that_works_runs_once() -> None:
    program = Recorded(lambda _: None)
    assert run_step(program.step, [1, 2, 3]) == [Done(1), Done(2), Done(3)]
    assert program.calls == [[1, 2, 3]]


def test_a_library_that_asks_for_the_end_of_the_process_fails_one_task() -> None:
    def fault(states: Sequence[int]) -> None:
        if 2 in states:
            raise SystemExit(3)

    outcomes = run_step(Recorded(fault).step, [1, 2])
    assert outcomes == [Done(1), Failed("engine_error", "The step failed: SystemExit: 3")]


def test_a_step_that_fails_is_repeated_for_each_alone_and_once() -> None:
    def fault(states: Sequence[int]) -> None:
        if 2 in states:
            raise ValueError("no twos")

    program = Recorded(fault)
    first, second, third = run_step(program.step, [1, 2, 3])
    assert (first, third) == (Done(1), Done(3))
    assert second == Failed("engine_error", "The step failed: no twos")
    assert program.calls == [[1, 2, 3], [1], [2], [3]]


def test_a_single_state_that_fails_is_not_repeated() -> None:
    def fault(_: Sequence[int]) -> None:
        raise ValueError

    program = Recorded(fault)
    assert run_step(program.step, [1]) == [Failed("engine_error", "The step failed: ValueError")]
    assert program.calls == [[1]]


@pytest.mark.parametrize("error", [OutOfMemory("no room"), MemoryError()])
def test_a_step_that_does_not_fit_is_halved(error: Exception) -> None:
    def fault(states: Sequence[int]) -> None:
        if len(states) > 2:
            raise error

    program = Recorded(fault)
    assert run_step(program.step, [1, 2, 3, 4, 5]) == [Done(number) for number in (1, 2, 3, 4, 5)]
    assert program.calls == [[1, 2, 3, 4, 5], [1, 2], [3, 4, 5], [3], [4, 5]]


def test_one_that_fails_in_a_half_fails_alone() -> None:
    def fault(states: Sequence[int]) -> None:
        if len(states) > 2:
            raise OutOfMemory
        if 1 in states:
            raise ValueError("no ones")

    outcomes = run_step(Recorded(fault).step, [1, 2, 3, 4])
    assert [type(outcome) for outcome in outcomes] == [Failed, Done, Done, Done]


def test_too_few_outcomes_are_a_failure_of_the_step() -> None:
    class Short(Recorded):
        def step(self, states: Sequence[int]) -> Sequence[Advanced[int] | Done[int] | Failed]:
            return super().step(states)[1:]

    first, second = run_step(Short(lambda _: None).step, [1, 2])
    assert isinstance(first, Failed)
    assert "0 outcomes for 1 states" in first.message
    assert isinstance(second, Failed)


def test_an_interrupted_step_is_nobodys_failure_and_is_not_repeated_here() -> None:
    def fault(_: Sequence[int]) -> None:
        raise Interrupted

    program = Recorded(fault)
    outcomes = run_step(program.step, [1, 2])
    assert [type(outcome) for outcome in outcomes] == [Interrupted, Interrupted]
    assert program.calls == [[1, 2]]


@pytest.mark.parametrize("error", [OutOfMemory("no room"), ValueError("no pairs")])
def test_an_interrupt_ends_what_is_tried_in_parts_and_keeps_what_is_finished(error: Exception) -> None:
    def fault(states: Sequence[int]) -> None:
        if len(states) > 1:
            raise error
        if 2 in states:
            raise Interrupted

    program = Recorded(fault)
    outcomes = run_step(program.step, [1, 2, 3, 4])
    assert [type(outcome) for outcome in outcomes] == [Done, Interrupted, Interrupted, Interrupted]
    assert [3] not in program.calls
