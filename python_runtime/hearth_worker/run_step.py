"""One step of a program, and what is done when it does not fit or fails."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from hearth_worker.check_outcome import Outcome
from hearth_worker.failures import (
    ArtifactMissing,
    Interrupted,
    InvalidRequest,
    OutOfMemory,
    StaleModel,
    staying_alive,
    words_of,
)
from hearth_worker.programs.outcomes import Failed

# `step` of a program, whose outcomes nobody has looked at yet.
Step = Callable[[Sequence[Any]], Sequence[Outcome]]

logger = logging.getLogger(__name__)


def run_step(step: Step, states: Sequence[object]) -> Sequence[Outcome | Interrupted]:
    """One outcome per state, in order; what interrupted it, for those whose step has to be run again.

    A step that does not fit is halved and tried again, down to single states. A step of several that fails is repeated
    for each alone, so that only the one at fault fails: no state has moved, because new ones replace the old on return.
    """
    try:
        with staying_alive():
            # A list of them: a program may give anything, and what is lazy is computed here.
            outcomes = list(step(states))
    except Interrupted as interruption:
        return [interruption] * len(states)
    except (OutOfMemory, MemoryError) as error:
        return _smaller_steps(step, states, error)
    except Exception as error:
        return _single_steps(step, states, error)
    if len(outcomes) != len(states):
        wrong = RuntimeError(f"the program gave {len(outcomes)} outcomes for {len(states)} states")
        return _single_steps(step, states, wrong)
    return outcomes


def _smaller_steps(step: Step, states: Sequence[object], error: Exception) -> list[Outcome | Interrupted]:
    if len(states) == 1:
        return [
            Failed(
                "out_of_memory", f"The task does not fit into the worker's memory: {words_of(error)}", retryable=True
            )
        ]
    half = len(states) // 2
    logger.warning("A step of %d did not fit into memory (%s); it is halved.", len(states), words_of(error))
    return _in_turn(step, [states[:half], states[half:]])


def _single_steps(step: Step, states: Sequence[object], error: Exception) -> list[Outcome | Interrupted]:
    if len(states) == 1:
        return [_failure(error)]
    logger.warning("A step of %d failed (%s); each is tried alone.", len(states), words_of(error))
    return _in_turn(step, [[state] for state in states])


def _in_turn(step: Step, parts: Sequence[Sequence[object]]) -> list[Outcome | Interrupted]:
    """One step after the other, until one is interrupted: whatever is urgent should not wait for the rest."""
    outcomes: list[Outcome | Interrupted] = []
    for part in parts:
        last = outcomes[-1] if outcomes else None
        outcomes += [last] * len(part) if isinstance(last, Interrupted) else run_step(step, part)
    return outcomes


def _failure(error: Exception) -> Failed:
    """What was raised on purpose says who is at fault; anything else is the program's, and is looked into."""
    if isinstance(error, InvalidRequest):
        return Failed("invalid_request", words_of(error))
    if isinstance(error, ArtifactMissing):
        return Failed("artifact_missing", words_of(error))
    if isinstance(error, StaleModel):
        return Failed("stale_model", words_of(error), retryable=True)
    logger.error("A step failed.", exc_info=error)
    return Failed("engine_error", f"The step failed: {words_of(error)}")
