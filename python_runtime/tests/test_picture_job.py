"""The tasks of a job of pictures in a real worker, as the server admits them: each takes what one before has held."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from hearth_worker.protocol.reports import StatsReport
from tests.support.ember import EMBER
from tests.support.requests import task
from tests.support.worker_harness import WorkerHarness

PROMPT = "noto dog on a blue background"
COMPONENTS = {
    "encode_text": ["text_encoder"],
    "denoise": ["unet", "preview_decoder", "safety_checker"],
    "decode_latents": ["vae_decoder"],
    "check_picture": ["safety_checker"],
    "upscale_picture": ["upscaler"],
    "write_picture": [],
}


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerHarness]:
    with WorkerHarness("onnx") as worker:
        worker.hello()
        worker.load(EMBER, 1)
        worker.set_policy(1, 4)
        yield worker


def picture_task(
    number: int, program: str, request: Mapping[str, Any], inputs: Mapping[str, int], *, hold: bool = True
) -> dict[str, Any]:
    components = COMPONENTS[program]
    return task(number, program=program, components=components, request=request, inputs=inputs, hold=hold)


def end_of(worker: WorkerHarness, number: int) -> Any:
    """Of a task, which has to be done."""
    end = worker.wait_for_end_of(number)[number]
    assert end["kind"] == "done", end
    return end


def file_of(worker: WorkerHarness, number: int) -> bytes:
    for entry, payload in worker.entries():
        if entry["task"] == number and entry["kind"] == "done":
            return bytes(worker.bytes_of(entry["output"]["picture"], payload))
    raise AssertionError("unreachable: entries() raises at the end of the stream")


def draw(worker: WorkerHarness, first: int, *pictures: dict[str, Any]) -> list[bytes]:
    """Files of a job's pictures; its tasks are numbered from `first`."""
    worker.admit(picture_task(first, "encode_text", {"prompt": PROMPT, "negativePrompt": ""}, {}))
    assert end_of(worker, first)["heldBytes"] == 2 * 16 * 192 * 4
    size = {"steps": 4, "guidance": 3, "width": 64, "height": 64}
    numbers = range(first + 10, first + 10 * (len(pictures) + 1), 10)
    worker.admit(
        *(
            picture_task(number, "denoise", size | picture, {"encode": first})
            for number, picture in zip(numbers, pictures, strict=True)
        )
    )
    for number in numbers:
        assert end_of(worker, number)["heldBytes"] == 4 * 16 * 16 * 4
        worker.admit(picture_task(number + 1, "decode_latents", {}, {"denoise": number}))
        end_of(worker, number + 1)
        decoded = {"decode": number + 1}
        worker.admit(
            picture_task(number + 2, "check_picture", {}, decoded, hold=False),
            picture_task(number + 3, "upscale_picture", {"factor": 2}, decoded),
        )
        end_of(worker, number + 3)
        request = {"format": "png", "metadata": {"prompt": PROMPT, "seed": 1, "software": "Hearth"}}
        inputs = decoded | {"upscale": number + 3}
        worker.admit(picture_task(number + 4, "write_picture", request, inputs, hold=False))
    return [file_of(worker, number + 4) for number in numbers]


def test_a_job_ends_with_files_and_nothing_was_copied_on_the_way(worker: WorkerHarness) -> None:
    files = draw(worker, 1000, {"seed": 1}, {"seed": 2})
    images = [Image.open(BytesIO(data)) for data in files]
    assert [image.size for image in images] == [(128, 128)] * 2
    assert images[0].info["prompt"] == PROMPT
    verdict = end_of(worker, 1012)["output"]
    assert verdict["checkedBy"] == "open-nsfw"
    assert 0 <= verdict["score"] < 0.5
    stats = worker.answer_to(worker.send(9))
    assert isinstance(stats, StatsReport)
    assert stats.hand_over is not None
    assert stats.hand_over.copied_bytes == 0
    assert stats.hand_over.gathered_bytes > 0, "contexts, for the calls of the network that were shared"
    assert stats.hand_over.tensors == 10, "of each picture: context, latents, and the picture three times"
    assert stats.hand_over.bytes > 0
    assert draw(worker, 2000, {"seed": 2})[0] == files[1], "alone as in company"


def test_previews_come_only_where_they_were_asked_for(worker: WorkerHarness) -> None:
    asked = {"everySteps": 2, "maxWidth": 256, "check": "block"}
    draw(worker, 3000, {"seed": 1}, {"seed": 2, "previews": asked, "steps": 5})
    heard = [entry for entry in entries_until(worker, 3024) if entry["task"] > 3000]
    previews = [entry for entry in heard if entry["kind"] == "preview"]
    assert {preview["task"] for preview in previews} == {3020}
    assert previews[0]["step"] == 2
    assert Image.open(BytesIO(b64decode(previews[0]["picture"]))).size == (64, 64)
    steps = [entry for entry in heard if entry["kind"] == "step" and entry["task"] == 3020]
    assert (steps[-1]["done"], steps[-1]["total"], steps[-1]["unit"]) == (5, 5, "steps")


def entries_until(worker: WorkerHarness, last: int) -> Iterator[Any]:
    """All that was heard until a task was done."""
    for entry, _ in worker.entries():
        yield entry
        if entry["task"] == last and entry["kind"] == "done":
            return


def test_a_follower_of_a_task_that_is_not_held_is_told_so(worker: WorkerHarness) -> None:
    worker.admit(picture_task(4000, "decode_latents", {}, {"denoise": 4711}))
    end = worker.wait_for_end_of(4000)[4000]
    assert (end["kind"], end["code"]) == ("failed", "input_missing")
    worker.admit(picture_task(4001, "decode_latents", {}, {}))
    assert worker.wait_for_end_of(4001)[4001]["code"] == "input_missing"
