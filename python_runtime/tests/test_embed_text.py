"""embed_text on the real sentence-embedding model, in a real worker."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hearth_worker.protocol.reports import Error, Unloaded
from tests.support.requests import MODELS, load_meta, task
from tests.support.worker_harness import WorkerHarness

MINILM = MODELS / "all-minilm-l6-v2"
FOOD = "A man is eating food."
BREAD = "A man is eating a piece of bread."
WOODS = "Two men pushed carts through the woods."
LONG = "the quick brown fox jumps over the lazy dog and " * 40


@pytest.fixture
def worker(third_party_variables: dict[str, str]) -> Iterator[WorkerHarness]:
    with WorkerHarness("onnx", variables=third_party_variables) as worker:
        worker.hello()
        worker.load(MINILM)
        worker.set_policy(1, 32)
        yield worker


def test_similarities_are_those_of_the_original_model(worker: WorkerHarness) -> None:
    worker.admit(embed_task(1, [FOOD, BREAD, WOODS]))
    food, bread, woods = embeddings(worker, 1)
    assert food @ bread == pytest.approx(0.7553, abs=5e-5)
    assert food @ woods == pytest.approx(-0.0333, abs=5e-5)


def test_a_text_has_the_same_embedding_alone_and_in_company(worker: WorkerHarness, tmp_path: Path) -> None:
    worker.admit(embed_task(1, [FOOD]))
    alone = embeddings(worker, 1)
    before = worker.progress()
    with worker.during_a_step(tmp_path):
        worker.admit(embed_task(2, [LONG, FOOD]), embed_task(3, [WOODS, BREAD, LONG]), embed_task(4, [FOOD]))
    worker.wait_for_end_of(2, 3, 4)
    assert worker.progress() == before + 2, "the gate's step, and one that all three requests share"
    assert embeddings(worker, 2)[1] == pytest.approx(alone[0], abs=1e-5)
    assert embeddings(worker, 4) == pytest.approx(alone, abs=1e-5)


def test_rows_come_back_in_the_order_of_their_texts(worker: WorkerHarness) -> None:
    texts = ["word " * (1 + (7 * index) % 40) for index in range(50)]
    worker.admit(embed_task(1, texts), *(embed_task(2 + index, [texts[index]]) for index in (0, 17, 49)))
    together = embeddings(worker, 1)
    assert together.shape == (50, 384)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(50), abs=1e-5)
    for index in (0, 17, 49):
        assert together[index] == pytest.approx(embeddings(worker, 2 + index)[0], abs=1e-5)


def test_a_short_request_does_not_wait_for_a_long_one(worker: WorkerHarness, tmp_path: Path) -> None:
    with worker.during_a_step(tmp_path):
        worker.admit(embed_task(1, [f"{WOODS} {index}" for index in range(200)]), embed_task(2, [FOOD, BREAD]))
    ends = worker.wait_for_end_of(1, 2)
    assert worker.done_in_order() == [2, 1]
    assert ends[2]["stepsRun"] == 1
    assert ends[1]["stepsRun"] == 7, "30 rows beside the other, then 32 at a time"
    assert "step" in worker.kinds_of(1)


def test_a_text_beyond_the_limit_counts_up_to_it(worker: WorkerHarness) -> None:
    words = "word " * 1000
    worker.admit(embed_task(1, [words, words + "and something else"]))
    first, second = embeddings(worker, 1)
    assert first == pytest.approx(second, abs=1e-6)


def test_embeddings_too_large_for_a_frame_come_back_whole(worker: WorkerHarness) -> None:
    count = 128
    worker.admit(embed_task(1, ["x"] * (count - 1) + [FOOD]), embed_task(2, [FOOD]))
    result = embeddings(worker, 1)
    assert result.shape == (count, 384)
    assert result.nbytes > 4 * 32 * 1024
    assert result[0] == pytest.approx(result[count - 2], abs=1e-5)
    assert result[-1] == pytest.approx(embeddings(worker, 2)[0], abs=1e-5)


def test_more_texts_than_a_result_can_hold_are_refused_at_once(worker: WorkerHarness) -> None:
    worker.admit(embed_task(1, ["x"] * 699_051))
    end = worker.wait_for_end_of(1)[1]
    assert (end["kind"], end["code"]) == ("failed", "invalid_request")
    assert "699050 are possible" in end["message"]


def test_loading_maps_the_weights_and_tells_of_ports(worker: WorkerHarness) -> None:
    loaded = worker.load(MINILM, 2)
    assert loaded.weights_bytes == (MINILM / "model.safetensors").stat().st_size
    assert loaded.private_bytes < 40 * 2**20, "the weights are not copied"
    assert loaded.inputs is not None
    assert [port.name for port in loaded.inputs] == ["input_ids", "attention_mask"]
    assert loaded.outputs is not None
    assert (loaded.outputs[0].dtype, loaded.outputs[0].shape) == ("float32", ["batch", 384])


def test_prepacked_weights_are_private_and_are_given_back(worker: WorkerHarness) -> None:
    prepacked = worker.load(MINILM, 2, options={"prepack": True})
    assert prepacked.private_bytes > 30 * 2**20
    worker.set_policy(2, 32)
    worker.admit(embed_task(1, [FOOD, BREAD], model=2))
    food, bread = embeddings(worker, 1)
    assert food @ bread == pytest.approx(0.7553, abs=5e-5)
    first = worker.answer_to(worker.send(2, {"model": 2}))
    again = worker.load(MINILM, 3, options={"prepack": True})
    second = worker.answer_to(worker.send(2, {"model": 3}))
    assert isinstance(first, Unloaded)
    assert isinstance(second, Unloaded)
    assert again.private_bytes > 30 * 2**20
    assert second.private_bytes < first.private_bytes + 8 * 2**20


@pytest.mark.parametrize(
    ("path", "words"), [("nowhere.onnx", "does not exist"), ("../model.onnx", "outside"), ("/etc/passwd", "outside")]
)
def test_a_model_whose_files_are_wrong_is_refused(worker: WorkerHarness, path: str, words: str) -> None:
    component = {"name": "text-encoder", "format": "onnx", "files": [{"path": path, "role": "graph"}]}
    refused = worker.answer_to(worker.send(1, load_meta(MINILM, 2, components=[component])))
    assert isinstance(refused, Error)
    assert (refused.code, refused.retryable) == ("engine_error", False)
    assert words in refused.message


def test_a_graph_that_is_none_is_refused_and_the_worker_lives_on(worker: WorkerHarness, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_bytes((MINILM / "model.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "model.onnx").write_bytes(b"not a graph")
    (tmp_path / "tokenizer.json").write_text("{}")
    meta = load_meta(tmp_path, 2)
    meta["manifest"]["components"][0]["files"][0]["sha256"] = "0" * 64
    refused = worker.answer_to(worker.send(1, meta))
    assert isinstance(refused, Error)
    assert refused.code == "engine_error"
    assert refused.message.startswith("ONNX Runtime cannot open component 'text-encoder': ")
    worker.admit(embed_task(1, [FOOD]))
    assert embeddings(worker, 1).shape == (1, 384)


def embed_task(number: int, texts: Sequence[str], **fields: Any) -> dict[str, Any]:
    """A task that embeds these texts."""
    return task(number, program="embed_text", components=["text-encoder"], request={"texts": texts}, **fields)


def embeddings(worker: WorkerHarness, number: int) -> NDArray[np.float32]:
    """The result of a task, which has to be done."""
    for entry, payload in worker.entries():
        if entry["task"] == number and entry["kind"] in ("done", "failed"):
            output = entry["output"]
            tensor = output["embeddings"]
            rows = np.frombuffer(worker.bytes_of(tensor, payload), np.float32).reshape(tensor["shape"])
            assert rows.shape == (output["count"], output["dimensions"])
            return rows
    raise AssertionError("unreachable: entries() raises at the end of the stream")
