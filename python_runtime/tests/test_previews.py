"""Pictures on their way: shown at once, dropped where they are too large."""

from typing import Any

import pytest

from hearth_worker.check_outcome import checked
from hearth_worker.programs.outcomes import Advanced, Failed, Preview
from hearth_worker.protocol.reports import Log
from hearth_worker.settle import PREVIEW_BYTES_MAX
from tests.support.requests import task
from tests.support.worker_harness import noop_worker


def test_a_preview_is_told_with_its_step(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(patient(1, steps=2, stepMs=20, previewBytes=PREVIEW_BYTES_MAX))
        worker.wait_for_end_of(1)
        previews = [entry for entry in worker.heard_entries() if entry["kind"] == "preview"]
        assert [(each["step"], each["mimeType"]) for each in previews] == [(1, "image/png"), (2, "image/png")]
        assert worker.kinds_of(1) == ["started", "step", "preview", "step", "preview", "done"]


def test_one_that_is_too_large_is_dropped_and_its_task_goes_on(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(patient(1, steps=1, previewBytes=PREVIEW_BYTES_MAX + 1))
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"
        assert "preview" not in worker.kinds_of(1)
        assert str(PREVIEW_BYTES_MAX) in worker.wait_for(Log).message


@pytest.mark.parametrize(
    "preview",
    [
        b"picture",
        Preview(-1, "image/png", b""),
        Preview(1, "image/\ud800", b""),
        Preview(1, None, b""),  # type: ignore[arg-type]
        Preview(1, "image/png", "picture"),  # type: ignore[arg-type]
    ],
)
def test_a_preview_that_no_frame_can_carry_fails_its_task(preview: Any) -> None:
    assert isinstance(checked(Advanced(None, preview=preview)), Failed)


def patient(number: int, **request: Any) -> dict[str, Any]:
    """A task that shows previews."""
    return task(number, program="patient", request=request)
