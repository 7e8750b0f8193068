"""classify_image: open-nsfw against its reference, any classifier with a manifest, and pictures that are none."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from hearth_worker.programs.classifier_options import ImageOptions
from hearth_worker.programs.pictures import as_input
from hearth_worker.protocol.reports import Error, Log
from tests.support.graphs import node, tensor, write_model
from tests.support.inference import refusal_of
from tests.support.pictures import REFERENCE_SCORES, encoded, pixels, reference_pictures
from tests.support.requests import MODELS, load_meta, task
from tests.support.worker_harness import WorkerHarness

OPEN_NSFW = MODELS / "open-nsfw"
# Of a score. Another order of sums changes less; another preprocessing changes far more.
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerHarness]:
    from tests.support import third_party

    with WorkerHarness("onnx", variables=third_party.install(tmp_path_factory.mktemp("programs"))) as worker:
        worker.hello()
        worker.load(OPEN_NSFW, 1)
        worker.set_policy(1, 8)
        worker.load(means(tmp_path_factory.mktemp("means")), 2)
        worker.set_policy(2, 8)
        yield worker


@pytest.fixture
def number(counter: list[int] = [0]) -> int:  # noqa: B006
    """Of this test's first task."""
    counter[0] += 100
    return counter[0]


def test_scores_are_those_of_the_reference(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    pictures = reference_pictures()
    for index, (name, data) in enumerate(pictures.items()):
        (tmp_path / name).write_bytes(data)
        worker.admit(classify_task(number + 2 * index, {"data": data}))
        worker.admit(classify_task(number + 2 * index + 1, {"path": str(tmp_path / name)}))
        inline, from_file = labels_of(worker, number + 2 * index), labels_of(worker, number + 2 * index + 1)
        assert inline["nsfw"] == pytest.approx(REFERENCE_SCORES[name], abs=TOLERANCE), name
        assert inline["sfw"] == pytest.approx(1 - REFERENCE_SCORES[name], abs=TOLERANCE), name
        assert from_file == pytest.approx(inline, abs=TOLERANCE)
    assert len(REFERENCE_SCORES) == len(pictures) > 0


def test_pictures_of_several_requests_share_a_run_and_a_broken_one_fails_alone(
    worker: WorkerHarness, number: int, tmp_path: Path
) -> None:
    pictures = reference_pictures()
    before = worker.progress()
    with worker.during_a_step(tmp_path):
        for index, data in enumerate(pictures.values()):
            worker.admit(classify_task(number + index, {"data": data}))
        worker.admit(classify_task(number + 50, {"data": pictures["waves"][:200]}))
    for index, name in enumerate(pictures):
        assert labels_of(worker, number + index)["nsfw"] == pytest.approx(REFERENCE_SCORES[name], abs=TOLERANCE)
    assert refusal_of(worker, number + 50)[0] == "invalid_request"
    assert worker.progress() == before + 2


def test_the_best_labels_come_first(worker: WorkerHarness, number: int) -> None:
    red = encoded(Image.new("RGB", (4, 4), (200, 100, 50)))
    labels: dict[str, float] = {}
    for index, count in enumerate((1, 2, 9)):
        worker.admit(classify_task(number + index, {"data": red}, model=2, component="graph", top_k=count))
        labels = labels_of(worker, number + index)
        assert list(labels) == ["red", "green", "blue"][:count]
    assert sum(labels.values()) == pytest.approx(1, abs=1e-6)
    assert labels["red"] == pytest.approx(np.exp(2) / (np.exp(2) + np.exp(1) + np.exp(0.5)), abs=1e-5)


def test_a_picture_is_turned_as_its_exif_says(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    # Takes the upper left pixel of a picture as the scores.
    corner = [node("Slice", ["x", "from", "to", "last"], ["c"]), node("Flatten", ["c"], ["y"])]
    first = {"from": np.array([0, 0]), "to": np.array([1, 1]), "last": np.array([2, 3])}
    options = {"image": {"width": 8, "height": 8}, "labels": ["red", "green", "blue"]}
    folder = write_model(
        tmp_path,
        corner,
        [tensor("x", shape=["n", 3, 8, 8])],
        [tensor("y", shape=["n", 3])],
        initializers=first,
        program="classify_image",
        options=options,
    )
    worker.load(folder, number)
    picture = Image.new("RGB", (8, 8), (0, 0, 250))
    picture.paste((250, 0, 0), (0, 0, 8, 4))
    turned = Image.Exif()
    turned[0x0112] = 3
    for index, data in enumerate((encoded(picture), encoded(picture, exif=turned))):
        worker.admit(classify_task(number + index, {"data": data}, model=number, component="graph"))
    assert next(iter(labels_of(worker, number))) == "red"
    assert next(iter(labels_of(worker, number + 1))) == "blue"


def test_of_a_picture_that_is_far_too_long_only_the_middle_is_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    scaled: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def watched(image: Image.Image, size: tuple[int, int], **options: Any) -> Image.Image:
        scaled.append(size)
        return resize(image, size, **options)

    monkeypatch.setattr(Image.Image, "resize", watched)
    options = ImageOptions(width=8, height=8, fit="cover", resize="box")
    picture = Image.new("RGB", (2001, 1), (250, 0, 0))
    picture.paste((0, 0, 250), (998, 0, 1003, 1))
    for long in (picture, picture.transpose(Image.Transpose.ROTATE_90)):
        assert as_input(long, options)[:, 4, 4].tolist() == [0, 0, 250]
    assert scaled == [(32, 8), (8, 32)]


def test_sixteen_bits_a_pixel_keep_their_upper_eight(worker: WorkerHarness, number: int) -> None:
    grey = Image.fromarray(np.full((4, 4), 100 * 256 + 99, np.uint16))
    worker.admit(classify_task(number, {"data": encoded(grey)}, model=2, component="graph"))
    assert list(labels_of(worker, number).values()) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty", "no picture"),
        ("text", "no picture"),
        ("postscript", "no picture"),
        ("cut off png", "broken or cut off"),
        ("cut off jpeg", "broken or cut off"),
        ("bomb", "more than 100000000 pixels"),
        ("changed on the way", "broken or cut off"),
    ],
)
def test_what_is_no_picture_is_refused_in_clear_words(
    worker: WorkerHarness, number: int, name: str, words: str
) -> None:
    waves = Image.fromarray(pixels(300, 200, 1))
    files = {
        "empty": b"",
        "text": b"<html>not found</html>",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
        "cut off png": encoded(waves)[:5000],
        "cut off jpeg": encoded(waves, "JPEG")[:3000],
        "bomb": png_header(60_000, 60_000),
        "changed on the way": bad_checksum(encoded(waves)),
    }
    worker.admit(classify_task(number, {"data": files[name]}))
    code, message = refusal_of(worker, number)
    assert code == "invalid_request"
    assert words in message


def test_a_file_that_is_gone_is_missing_and_a_picture_has_one_place(
    worker: WorkerHarness, number: int, tmp_path: Path
) -> None:
    worker.admit(classify_task(number, {"path": str(tmp_path / "gone")}))
    code, message = refusal_of(worker, number)
    assert code == "artifact_missing"
    assert "no longer exists" in message
    both = {"data": b"", "path": "/x"}
    for index, image in enumerate((both, {})):
        worker.admit(classify_task(number + 1 + index, image))
        assert refusal_of(worker, number + 1 + index) == ("invalid_request", "`image` needs either data or a path.")
    worker.admit(classify_task(number + 9, {"data": b""}, top_k=0))
    assert "topK" in refusal_of(worker, number + 9)[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "image"),
        ({"image": {"width": 3, "height": 4}, "labels": ["a", "b", "c"]}, "makes pictures of shape"),
        ({"image": {"width": 4, "height": 4, "colour": "RGB"}}, "colour"),
        ({"image": {"width": 4, "height": 4, "std": [1, 0, 1]}}, "std may not be 0"),
        ({"image": {"width": 4, "height": 4}}, "needs its labels"),
        ({"image": {"width": 4, "height": 4}, "labels": ["a"]}, "1 labels"),
    ],
)
def test_a_manifest_that_does_not_fit_its_graph_is_refused(
    worker: WorkerHarness, number: int, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    refused = worker.answer_to(worker.send(1, load_meta(means(tmp_path), number, options=options)))
    assert isinstance(refused, Error)
    assert words in refused.message


def test_labels_may_be_a_file(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    meta = load_meta(means(tmp_path), number, options={"image": {"width": 4, "height": 4}, "scores": "sigmoid"})
    (tmp_path / "labels.txt").write_text("rouge\nvert\nbleu\n", encoding="utf-8")
    meta["manifest"]["components"][0]["files"].append({"path": "labels.txt", "role": "labels"})
    worker.answer_to(worker.send(1, meta))
    green = encoded(Image.new("RGB", (9, 5), (0, 1, 0)))
    worker.admit(classify_task(number, {"data": green}, model=number, component="graph"))
    labels = labels_of(worker, number)
    assert list(labels) == ["vert", "rouge", "bleu"]
    assert labels["rouge"] == pytest.approx(0.5)


def test_a_graph_that_mixes_pictures_runs_them_one_by_one(worker: WorkerHarness, number: int, tmp_path: Path) -> None:
    steps = [node("ReduceMean", ["x", "axes"], ["m"], keepdims=0), node("Softmax", ["m"], ["y"], axis=0)]
    worker.load(means(tmp_path, steps), number)
    worker.wait_for(Log, lambda log: "run one by one: output 'y' of a row depends" in log.message)
    worker.set_policy(number, 8)
    with worker.during_a_step(tmp_path):
        for index, colour in enumerate(((250, 0, 0), (0, 250, 0))):
            data = encoded(Image.new("RGB", (4, 4), colour))
            worker.admit(classify_task(number + index, {"data": data}, model=number, component="graph"))
    for index in range(2):
        assert list(labels_of(worker, number + index).values()) == [1, 1, 1], "each alone"


def classify_task(
    number: int, image: dict[str, Any], *, component: str = "classifier", top_k: int = 5, **fields: Any
) -> dict[str, Any]:
    """A task on open-nsfw, or on another model's component."""
    request = {"image": image, "topK": top_k}
    return task(number, program="classify_image", components=[component], request=request, **fields)


def labels_of(worker: WorkerHarness, number: int) -> dict[str, float]:
    """Scores by label in the order given; the task has to be done."""
    end = worker.wait_for_end_of(number)[number]
    assert end["kind"] == "done", end
    labels = {each["label"]: each["score"] for each in end["output"]["labels"]}
    assert list(labels.values()) == sorted(labels.values(), reverse=True)
    return labels


def means(folder: Path, nodes: list[Any] | None = None) -> Path:
    """A classifier whose scores are the softmax of a picture's mean colours, in hundreds."""
    mean = [node("ReduceMean", ["x", "axes"], ["y"], keepdims=0)]
    image = {"width": 4, "height": 4, "fit": "cover", "resize": "box", "scale": 0.01}
    options = {"image": image, "labels": ["red", "green", "blue"], "scores": "softmax"}
    return write_model(
        folder,
        nodes or mean,
        [tensor("x", shape=["n", 3, 4, 4])],
        [tensor("y", shape=["n", 3])],
        initializers={"axes": np.array([2, 3])},
        program="classify_image",
        options=options | ({"scores": "none"} if nodes else {}),
    )


def png_header(width: int, height: int) -> bytes:
    """A file that promises many pixels and has none."""
    image = bytearray(encoded(Image.new("RGB", (1, 1))))
    image[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    image[29:33] = crc32(image[12:29]).to_bytes(4, "big")
    return bytes(image)


def bad_checksum(data: bytes) -> bytes:
    """A byte in the middle is another one."""
    broken = bytearray(BytesIO(data).getvalue())
    broken[len(broken) // 2] ^= 0xFF
    return bytes(broken)
