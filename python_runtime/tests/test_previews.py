"""Previews on the real model: made only when asked for, small, checked, and without any effect on the picture."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from hearth_worker.failures import Interrupted
from hearth_worker.programs.denoise_state import PreviewRequest
from hearth_worker.programs.outcomes import Advanced, Preview
from tests.support.ember import bytes_of, denoise_request, needs_ember, run_to_end, studio

pytestmark = needs_ember


def previews_of(state: Any) -> tuple[list[Preview], bytes]:
    """All of a picture, and its latents."""
    found = []
    while isinstance(outcome := studio().denoise.step([state])[0], Advanced):
        found += [outcome.preview] if outcome.preview else []
        state = outcome.state
    return found, bytes_of(outcome.output, "latents")


def asked(every: int = 1, width: int = 256, check: Any = "off", **fields: Any) -> Any:
    """A picture with previews."""
    return studio().begin("a noto apple on white", previews=PreviewRequest(every, width, check), **fields)


def opened(preview: Preview) -> Image.Image:
    assert preview.mime_type == "image/webp"
    return Image.open(BytesIO(preview.data), formats=("WEBP",))


@pytest.fixture(autouse=True)
def _previews_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long things take on a busy machine says nothing here."""
    monkeypatch.setattr("hearth_worker.programs.preview_budget.COST_SHARE_MAX", 1e9)


def test_nobody_who_has_not_asked_gets_any_and_they_change_nothing() -> None:
    without, latents = previews_of(studio().begin("a noto apple on white", steps=4))
    assert without == []
    some, same = previews_of(asked(steps=4))
    assert [preview.step for preview in some] == [1, 2, 3]
    assert same == latents


def test_an_early_preview_is_like_the_picture_already() -> None:
    early, late = (np.asarray(opened(preview), np.float32) for preview in previews_of(asked(7, steps=20))[0])
    assert np.abs(early - late).mean() < 25


@pytest.mark.parametrize(("width", "size"), [(256, 64), (64, 64), (48, 48), (1, 1)])
def test_a_preview_is_as_large_as_asked_but_no_larger_than_the_picture(width: int, size: int) -> None:
    preview = previews_of(asked(1, width, steps=2))[0][0]
    assert opened(preview).size == (size, size)
    assert len(preview.data) < 4096


def test_an_unsafe_preview_is_not_sent_under_block_and_is_under_flag() -> None:
    checker = studio().denoise._previews._checker  # type: ignore[union-attr]
    with patch.object(checker, "scores", lambda shown: [0.9 for _ in shown]):
        assert previews_of(asked(check="block", steps=3))[0] == []
        assert len(previews_of(asked(check="flag", steps=3))[0]) == 2
    with patch.object(checker, "scores", lambda shown: [float("nan") for _ in shown]):
        assert previews_of(asked(check="block", steps=3))[0] == []
    assert len(previews_of(asked(check="block", steps=3))[0]) == 2


def test_an_interrupt_while_a_preview_is_made_keeps_the_step_and_makes_it_at_the_next() -> None:
    denoise = studio().denoise
    decoder = studio().model.components["preview_decoder"]
    state = asked(1, steps=4)
    undisturbed = bytes_of(run_to_end(denoise, state), "latents")

    def ended(inputs: Any, outputs: Sequence[str] | None = None) -> list[Any]:
        raise Interrupted

    with patch.object(decoder, "run", ended):
        outcome = denoise.step([state])[0]
    assert isinstance(outcome, Advanced)
    assert outcome.preview is None
    previews, latents = previews_of(outcome.state)
    assert [preview.step for preview in previews] == [2, 3]
    assert latents == undisturbed


def test_what_was_shown_is_remembered_by_a_checkpoint() -> None:
    denoise = studio().denoise
    state = asked(2, steps=5)
    for _ in range(3):
        outcome = denoise.step([state])[0]
        assert isinstance(outcome, Advanced)
        state = outcome.state
    restored = denoise.restore_after(state.request, {"encode": studio().encoded("a")}, denoise.save(state))
    assert (restored.previews.count, restored.previews.last_step) == (1, 2)
    assert [preview.step for preview in previews_of(restored)[0]] == [4]


def test_only_those_that_are_due_get_one_in_a_shared_step() -> None:
    plain = studio().denoise.start_after(denoise_request(steps=3), {"encode": studio().encoded("a cat")})
    outcomes = studio().denoise.step([plain, asked(1, steps=3), asked(2, steps=3)])
    assert [isinstance(outcome, Advanced) and outcome.preview is not None for outcome in outcomes] == [
        False,
        True,
        False,
    ]
