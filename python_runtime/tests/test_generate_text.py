"""generate_text on the real language model, in a real worker."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from hearth_worker.protocol.reports import Checkpointed, Error, Loaded, Revoked, Unloaded
from tests.support.requests import MODELS, load_meta, task
from tests.support.worker_harness import WorkerHarness

SMOLLM = MODELS / "smollm2-135m-instruct"
RAINBOW = "Name three colours of the rainbow."
SLOTS = 4
# The same model once more, with little context, so that it is soon full.
SHORT_CONTEXT = 2


@pytest.fixture(scope="module")
def shared_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerHarness]:
    variables = {"TMPDIR": str(tmp_path_factory.mktemp("private"))}
    with WorkerHarness("llama_cpp", variables=variables) as worker:
        worker.hello()
        worker.load(SMOLLM)
        worker.set_policy(1, SLOTS)
        worker.load(SMOLLM, SHORT_CONTEXT, options={"slots": 1, "contextTokens": 256})
        yield worker


@pytest.fixture
def numbers(shared_worker: WorkerHarness) -> Iterator[int]:
    """Task numbers for one test: this one and the nine that follow."""
    used = [entry["task"] for entry in shared_worker.heard_entries()]
    first = (max(used, default=0) // 10 + 1) * 10
    return iter(range(first, first + 10))


def test_a_text_is_streamed_and_counted(shared_worker: WorkerHarness, numbers: Iterator[int]) -> None:
    number = next(numbers)
    shared_worker.admit(text_task(number, RAINBOW, maxTokens=12))
    output = shared_worker.wait_for_end_of(number)[number]["output"]
    assert output["text"] == shared_worker.text_of(number)
    assert (output["finishReason"], output["completionTokens"]) == ("length", 12)
    # The chat template adds the model's own system message: without it these words would be far fewer tokens.
    assert output["promptTokens"] == 37
    pieces = [entry for entry in shared_worker.heard_entries() if entry["kind"] == "text" and entry["task"] == number]
    assert len(pieces) >= 6


def test_progress_is_told_in_tokens(shared_worker: WorkerHarness, numbers: Iterator[int]) -> None:
    number = next(numbers)
    shared_worker.admit(text_task(number, RAINBOW, maxTokens=8))
    shared_worker.wait_for_end_of(number)
    steps = [entry for entry in shared_worker.heard_entries() if entry["kind"] == "step" and entry["task"] == number]
    assert steps[-1] == {"kind": "step", "task": number, "done": 8, "total": 8, "unit": "tokens"}


def test_a_text_ends_by_itself_or_before_a_stop_string(shared_worker: WorkerHarness, numbers: Iterator[int]) -> None:
    by_itself, stopped = next(numbers), next(numbers)
    shared_worker.admit(text_task(by_itself, "What is the capital of France? Answer in one word.", maxTokens=64))
    shared_worker.admit(text_task(stopped, "Count from one to ten in digits.", stop=["5", "five"], maxTokens=64))
    ends = shared_worker.wait_for_end_of(by_itself, stopped)
    assert ends[by_itself]["output"]["finishReason"] == "stop"
    assert ends[by_itself]["output"]["completionTokens"] < 64
    assert ends[stopped]["output"]["finishReason"] == "stop"
    assert ends[stopped]["output"]["text"]
    assert "5" not in shared_worker.text_of(stopped)
    assert shared_worker.text_of(stopped) == ends[stopped]["output"]["text"]


def test_the_same_seed_gives_the_same_text(shared_worker: WorkerHarness, numbers: Iterator[int]) -> None:
    texts = []
    for seed in (7, 7, 8):
        number = next(numbers)
        shared_worker.admit(text_task(number, "Tell me a story.", temperature=1.5, seed=seed, maxTokens=12))
        texts.append(shared_worker.wait_for_end_of(number)[number]["output"]["text"])
    assert texts[0] == texts[1] != texts[2]


def test_pieces_never_cut_a_character(shared_worker: WorkerHarness, numbers: Iterator[int]) -> None:
    number = next(numbers)
    shared_worker.admit(text_task(number, "Repeat exactly: 日本語 🎉🌈 日本語 🎉🌈", maxTokens=24))
    text = shared_worker.wait_for_end_of(number)[number]["output"]["text"]
    assert not text.isascii()
    assert "\ufffd" not in shared_worker.text_of(number)
    assert shared_worker.text_of(number) == text


def test_a_prompt_that_exceeds_the_context_is_refused_with_both_numbers(
    shared_worker: WorkerHarness, numbers: Iterator[int]
) -> None:
    number = next(numbers)
    shared_worker.admit(text_task(number, "word " * 300, model=SHORT_CONTEXT))
    end = shared_worker.wait_for_end_of(number)[number]
    assert (end["code"], end["retryable"]) == ("invalid_request", False)
    assert "331 tokens" in end["message"]
    assert "256" in end["message"]


def test_a_text_that_fills_the_context_ends_there(shared_worker: WorkerHarness, numbers: Iterator[int]) -> None:
    number = next(numbers)
    shared_worker.admit(text_task(number, "word " * 210, model=SHORT_CONTEXT, maxTokens=500, stop=["no such"]))
    output = shared_worker.wait_for_end_of(number)[number]["output"]
    assert output["promptTokens"] == 241
    assert output["promptTokens"] + output["completionTokens"] <= 256
    assert output["finishReason"] in ("length", "stop")


def test_more_texts_than_slots_wait_unstarted_and_a_cancelled_one_makes_room(
    shared_worker: WorkerHarness, numbers: Iterator[int]
) -> None:
    writing = [next(numbers) for _ in range(SLOTS)]
    waiting, given_back = next(numbers), next(numbers)
    shared_worker.admit(*(text_task(number, "Write a long story.", maxTokens=1500, seed=number) for number in writing))
    for number in writing:
        shared_worker.wait_for_entry("text", number)
    shared_worker.admit(text_task(waiting, RAINBOW, maxTokens=4), text_task(given_back, RAINBOW))
    shared_worker.send(4, {"tasks": [given_back, waiting + 4711]})
    assert shared_worker.wait_for_end_of(given_back)[given_back]["kind"] == "withdrawn"
    shared_worker.send(5, {"tasks": [writing[0]]})
    end = shared_worker.wait_for_end_of(waiting)[waiting]
    assert end["output"]["completionTokens"] == 4
    assert all("done" not in shared_worker.kinds_of(number) for number in writing)
    shared_worker.send(5, {"tasks": writing[1:]})
    for number, cancelled in shared_worker.wait_for_end_of(*writing).items():
        assert cancelled["kind"] == "cancelled"
        output = cancelled["output"]
        assert output["text"] == shared_worker.text_of(number)
        assert output["finishReason"] == "cancelled"
        assert output["completionTokens"] >= 1


def test_a_text_whose_prompt_is_still_read_can_be_cancelled(
    shared_worker: WorkerHarness, numbers: Iterator[int]
) -> None:
    number, following = next(numbers), next(numbers)
    shared_worker.admit(text_task(number, "word " * 1900))
    shared_worker.wait_for_entry("started", number)
    shared_worker.send(5, {"tasks": [number]})
    assert shared_worker.wait_for_end_of(number)[number]["kind"] == "cancelled"
    shared_worker.admit(text_task(following, RAINBOW, maxTokens=4))
    assert shared_worker.wait_for_end_of(following)[following]["kind"] == "done"


def test_a_paused_text_goes_on_where_it_was_and_a_saved_one_from_its_checkpoint(
    shared_worker: WorkerHarness, numbers: Iterator[int]
) -> None:
    undisturbed, paused, restored = next(numbers), next(numbers), next(numbers)
    story = "Write a python function that sums a list."
    shared_worker.admit(text_task(undisturbed, story, maxTokens=40))
    output = shared_worker.wait_for_end_of(undisturbed)[undisturbed]["output"]
    shared_worker.admit(text_task(paused, story, maxTokens=40))
    shared_worker.wait_for_entry("text", paused)
    shared_worker.send(13, {"tasks": [paused]})
    assert shared_worker.wait_for_entry("paused", paused)["stateBytes"] > 0
    checkpoint = shared_worker.wait_for(Checkpointed, lambda told: told.task == paused)
    shown = shared_worker.text_of(paused)
    assert 0 < len(shown) < len(output["text"])
    shared_worker.send(14, {"tasks": [paused]})
    assert shared_worker.wait_for_end_of(paused)[paused]["output"] == output
    assert shared_worker.text_of(paused) == output["text"]
    shared_worker.send(16, {"tasks": [text_task(restored, story, maxTokens=40) | {"saved": checkpoint.saved}]})
    assert shared_worker.wait_for_end_of(restored)[restored]["output"] == output
    assert shared_worker.text_of(restored) == output["text"]


def test_a_text_that_is_cancelled_while_it_is_paused_keeps_what_was_shown(
    shared_worker: WorkerHarness, numbers: Iterator[int]
) -> None:
    number = next(numbers)
    shared_worker.admit(text_task(number, "Write a long story.", maxTokens=1500))
    shared_worker.wait_for_entry("text", number)
    shared_worker.send(13, {"tasks": [number]})
    shared_worker.wait_for_entry("paused", number)
    shared_worker.send(5, {"tasks": [number]})
    output = shared_worker.wait_for_end_of(number)[number]["output"]
    assert (output["text"], output["finishReason"]) == (shared_worker.text_of(number), "cancelled")


def test_a_text_of_class_batch_leaves_the_engine_with_the_lease_and_goes_on_with_it(
    shared_worker: WorkerHarness, numbers: Iterator[int]
) -> None:
    number = next(numbers)
    task = text_task(number, "Write a python function that sums a list.", maxTokens=24)
    shared_worker.admit(task | {"class": "batch"})
    shared_worker.wait_for_entry("text", number)
    assert isinstance(shared_worker.answer_to(shared_worker.send(12)), Revoked)
    shared_worker.send(11)
    output = shared_worker.wait_for_end_of(number)[number]["output"]
    assert (output["completionTokens"], output["text"]) == (24, shared_worker.text_of(number))


def test_the_librarys_own_server_cannot_be_reached(shared_worker: WorkerHarness) -> None:
    process = psutil.Process(shared_worker.process.pid)
    assert process.net_connections(kind="inet") == []
    folder = Path(process.environ()["TMPDIR"])
    assert list(folder.iterdir()) == []


def test_unloading_gives_the_memory_back_and_signals_stay_ours() -> None:
    with WorkerHarness("llama_cpp") as worker:
        worker.hello()
        first = worker.load(SMOLLM)
        assert first.weights_bytes == (SMOLLM / "SmolLM2-135M-Instruct.Q4_1.gguf").stat().st_size
        assert first.private_bytes > 100 * 2**20, "the memory of four contexts"
        worker.set_policy(1, SLOTS)
        worker.admit(text_task(1, RAINBOW, maxTokens=2))
        worker.wait_for_end_of(1)
        unloaded = worker.answer_to(worker.send(2, {"model": 1}))
        assert isinstance(unloaded, Unloaded)
        assert unloaded.private_bytes < 60 * 2**20
        assert isinstance(worker.load(SMOLLM, 2), Loaded)
        worker.process.send_signal(signal.SIGTERM)
        assert worker.exit_status() == 0


def test_a_file_that_is_no_model_is_refused_and_the_worker_lives_on(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_bytes((SMOLLM / "model.json").read_bytes())
    (tmp_path / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"GGUF" + bytes(1000))
    with WorkerHarness("llama_cpp") as worker:
        worker.hello()
        refused = worker.answer_to(worker.send(1, load_meta(tmp_path, 1)))
        assert isinstance(refused, Error)
        assert (refused.code, refused.retryable) == ("engine_error", False)
        assert "llama.cpp" in refused.message
        assert isinstance(worker.load(SMOLLM, 2), Loaded)


def text_task(number: int, prompt: str, *, model: int = 1, **request: Any) -> dict[str, Any]:
    """A greedy text of at most 32 tokens, unless said otherwise."""
    sampling = {"maxTokens": 32, "temperature": 0, "topP": 1, "stop": [], "seed": 1}
    messages = [{"role": "user", "content": prompt}]
    return task(
        number,
        program="generate_text",
        components=["language-model"],
        model=model,
        request={"messages": messages, **sampling, **request},
    )
