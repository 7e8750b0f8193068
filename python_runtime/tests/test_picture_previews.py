"""Previews of the real model: never at the cost of the picture, and none that is unsafe."""

import logging
from typing import Literal
from unittest.mock import patch

import pytest

from hearth_worker.failures import Interrupted, OutOfMemory
from hearth_worker.programs.denoise import Denoise
from hearth_worker.programs.denoise_state import DenoiseState, PreviewRequest
from hearth_worker.programs.outcomes import Advanced
from tests.support.ember import bytes_of, open_ember, run_to_end, studio

PREVIEWS = "hearth_worker.programs.picture_previews"


@pytest.fixture
def denoise() -> Denoise:
    """It has not measured anything yet, so that previews cost nothing."""
    return Denoise(open_ember(), ["unet", "preview_decoder", "safety_checker"])


def begin(check: Literal["off", "flag", "block"] = "block", seed: int = 7, every: int = 1) -> DenoiseState:
    return studio().begin("a cat", steps=4, seed=seed, previews=PreviewRequest(every, 64, check))


def advanced(denoise: Denoise, state: DenoiseState) -> Advanced[DenoiseState]:
    (outcome,) = denoise.step([state])
    assert isinstance(outcome, Advanced)
    return outcome


@pytest.mark.parametrize("error", [OutOfMemory("no room"), MemoryError(), OSError("no encoder")])
@pytest.mark.parametrize("what", ["SafetyChecker.are_unsafe", "encode_preview", "resized"])
def test_one_that_fails_is_told_once_and_the_picture_goes_on_without(
    denoise: Denoise, caplog: pytest.LogCaptureFixture, what: str, error: Exception
) -> None:
    undisturbed = bytes_of(run_to_end(studio().denoise, studio().begin("a cat", steps=4)), "latents")
    with patch(f"{PREVIEWS}.{what}", side_effect=error), caplog.at_level(logging.WARNING):
        first = advanced(denoise, begin())
        second = advanced(denoise, first.state)
    assert (first.preview, second.preview) == (None, None)
    assert len(caplog.records) == 1
    assert advanced(denoise, second.state).preview is None
    assert bytes_of(run_to_end(denoise, second.state), "latents") == undisturbed
    assert advanced(denoise, begin(seed=8)).preview is not None, "another picture has its own"


def test_one_that_is_interrupted_counts_and_the_step_has_its_result(denoise: Denoise) -> None:
    with patch(f"{PREVIEWS}.encode_preview", side_effect=Interrupted("as asked")):
        outcome = advanced(denoise, begin())
    assert (outcome.preview, outcome.state.step) == (None, 1)
    assert (outcome.state.previews.count, outcome.state.previews.last_step) == (1, 0)
    assert advanced(denoise, outcome.state).preview is not None


@pytest.mark.parametrize(("check", "is_shown"), [("off", True), ("flag", False), ("block", False)])
def test_an_unsafe_one_is_shown_only_where_nothing_is_checked(
    denoise: Denoise, check: Literal["off", "flag", "block"], is_shown: bool
) -> None:
    with patch(f"{PREVIEWS}.SafetyChecker.are_unsafe", return_value=[True]):
        outcome = advanced(denoise, begin(check))
    assert (outcome.preview is not None) == is_shown
    assert outcome.state.previews.count == 1


def test_without_a_checker_there_are_none_where_they_are_to_be_checked(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        denoise = Denoise(open_ember(), ["unet", "preview_decoder"])
        shown = [advanced(denoise, begin(check)).preview is not None for check in ("off", "flag", "block")]
    assert shown == [True, False, False]
    assert ["no safety checker" in record.message for record in caplog.records] == [True]
