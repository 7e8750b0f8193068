"""A file that changes under a loaded model: nothing that may be a mixture leaves the worker."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hearth_worker.protocol.reports import Error, Loaded
from tests.support.requests import MODELS, noop_task, task
from tests.support.verified_files import copy_of, load_of_folder, load_of_noop, verified
from tests.support.worker_harness import WorkerHarness

MINILM = MODELS / "all-minilm-l6-v2"
SMOLLM = MODELS / "smollm2-135m-instruct"
FIRST = b"the first content"
OTHER = b"another content.."

Change = Callable[[Path], None]


def overwrite(path: Path) -> None:
    """In place, with as many bytes."""
    with path.open("r+b") as file:
        file.write(OTHER)


def overwrite_and_hide(path: Path) -> None:
    """In place, and as old as before."""
    before = path.stat()
    overwrite(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut_off(path: Path) -> None:
    """To nothing."""
    os.truncate(path, 0)


def touch(path: Path) -> None:
    """Its bytes are what they were, but who knows that."""
    os.utime(path)


def replace(path: Path) -> None:
    """By rename, as package managers and careful scripts do."""
    new = path.with_suffix(".new")
    new.write_bytes(OTHER)
    new.rename(path)


def move_away(path: Path) -> None:
    """It has another name now."""
    path.rename(path.with_suffix(".old"))


CHANGES: list[Change] = [overwrite, overwrite_and_hide, cut_off, touch]
HARMLESS: list[Change] = [replace, move_away, Path.unlink]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of the model."""
    path = tmp_path / "weights"
    path.write_bytes(FIRST)
    return path


@pytest.fixture
def worker(third_party_variables: dict[str, str], path: Path) -> Iterator[WorkerHarness]:
    """A worker with a model of one file."""
    with WorkerHarness(variables=third_party_variables) as worker:
        worker.hello()
        assert isinstance(answer_to_load(worker, load_of_noop(verified(path))), Loaded)
        worker.set_policy(1, 64)
        yield worker


@pytest.mark.parametrize("change", CHANGES)
def test_the_tasks_of_a_step_in_which_a_file_changes_fail_and_so_do_those_after_it(
    worker: WorkerHarness, path: Path, tmp_path: Path, change: Change
) -> None:
    with gate(worker, tmp_path, 1):
        change(path)
        worker.admit(noop_task(2, {"items": 3}))
    ends = worker.wait_for_end_of(1, 2)
    assert [(ends[number]["kind"], ends[number]["code"], ends[number]["retryable"]) for number in (1, 2)] == [
        ("failed", "stale_model", True),
        ("failed", "stale_model", True),
    ]
    assert str(path) in ends[1]["message"]
    assert worker.kinds_of(1) == ["started", "failed"]
    assert worker.kinds_of(2) == ["failed"]
    assert worker.items_of(2) == []


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_between_two_steps_of_a_task_ends_it(worker: WorkerHarness, path: Path, change: Change) -> None:
    worker.admit(noop_task(1, {"steps": 1_000_000, "stepMs": 1}))
    worker.wait_for_entry("step", 1)
    change(path)
    assert worker.wait_for_end_of(1)[1]["code"] == "stale_model"


@pytest.mark.parametrize("change", HARMLESS)
def test_files_that_only_lose_their_name_go_on_being_used(
    worker: WorkerHarness, path: Path, tmp_path: Path, change: Change
) -> None:
    with gate(worker, tmp_path, 1):
        change(path)
        worker.admit(noop_task(2))
    assert [end["kind"] for end in worker.wait_for_end_of(1, 2).values()] == ["done", "done"]


def test_what_was_replaced_and_is_then_written_to_is_stale(worker: WorkerHarness, path: Path) -> None:
    with path.open("r+b") as still_open:
        replace(path)
        worker.admit(noop_task(1))
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"
        still_open.write(OTHER)
        still_open.flush()
        worker.admit(noop_task(2))
        assert worker.wait_for_end_of(2)[2]["code"] == "stale_model"


def test_models_of_other_files_are_not_concerned(worker: WorkerHarness, path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(FIRST)
    assert isinstance(answer_to_load(worker, load_of_noop(verified(other), model=2)), Loaded)
    touch(path)
    worker.admit(noop_task(1), noop_task(2, model=2))
    ends = worker.wait_for_end_of(1, 2)
    assert (ends[1]["kind"], ends[2]["kind"]) == ("failed", "done")


def test_unloaded_and_loaded_as_it_is_now_it_runs_again(worker: WorkerHarness, path: Path) -> None:
    touch(path)
    worker.admit(noop_task(1))
    worker.wait_for_end_of(1)
    worker.answer_to(worker.send(2, {"model": 1}))
    assert isinstance(answer_to_load(worker, load_of_noop(verified(path))), Loaded)
    worker.admit(noop_task(2))
    assert worker.wait_for_end_of(2)[2]["kind"] == "done"


@pytest.mark.parametrize("change", [*CHANGES, *HARMLESS])
def test_a_load_of_other_files_than_those_that_were_verified_is_refused(
    worker: WorkerHarness, path: Path, change: Change
) -> None:
    load = load_of_noop(verified(path), model=2)
    change(path)
    answer = answer_to_load(worker, load)
    assert isinstance(answer, Error)
    assert (answer.code, answer.retryable) == ("stale_model", True)
    assert str(path) in answer.message


def test_a_load_leaves_no_file_open_that_it_does_not_keep(worker: WorkerHarness, path: Path) -> None:
    def opened() -> int:
        descriptors = Path(f"/proc/{worker.process.pid}/fd")
        return sum(link.readlink() == path for link in descriptors.iterdir())

    stale = load_of_noop(verified(path) | {"inode": "1"}, model=2)
    assert isinstance(answer_to_load(worker, stale), Error)
    assert opened() == 1
    worker.answer_to(worker.send(2, {"model": 1}))
    assert opened() == 0


def test_embeddings_of_weights_that_were_overwritten_are_not_shown(tmp_path: Path) -> None:
    folder = copy_of(MINILM, tmp_path / "minilm")
    with WorkerHarness("onnx") as worker:
        worker.hello()
        assert isinstance(answer_to_load(worker, load_of_folder(folder)), Loaded)
        worker.set_policy(1, 4)
        worker.admit(embed_task(1))
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"
        with (folder / "model.safetensors").open("r+b") as weights:
            weights.seek(-4096, os.SEEK_END)
            weights.write(bytes(4096))
        worker.admit(embed_task(2))
        assert worker.wait_for_end_of(2)[2]["code"] == "stale_model"


def test_a_text_whose_model_is_touched_ends_without_another_word(tmp_path: Path) -> None:
    folder = copy_of(SMOLLM, tmp_path / "smollm")
    with WorkerHarness("llama_cpp") as worker:
        worker.hello()
        assert isinstance(answer_to_load(worker, load_of_folder(folder)), Loaded)
        worker.set_policy(1, 4)
        worker.admit(text_task(1))
        worker.wait_for_entry("text", 1)
        touch(next(folder.glob("*.gguf")))
        assert worker.wait_for_end_of(1)[1]["code"] == "stale_model"
        assert worker.kinds_of(1)[-1] == "failed"


@contextmanager
def gate(worker: WorkerHarness, folder: Path, number: int) -> Iterator[None]:
    """A step of model 1 that lasts as long as the block."""
    path = folder / "gate"
    os.mkfifo(path)
    worker.admit(task(number, program="gate", request={"path": str(path)}))
    worker.wait_for_entry("started", number)
    yield
    path.write_bytes(b"open")


def answer_to_load(worker: WorkerHarness, meta: Mapping[str, Any]) -> object:
    """LOADED or ERROR."""
    return worker.answer_to(worker.send(1, meta))


def embed_task(number: int) -> dict[str, Any]:
    """A text for the encoder."""
    return task(number, program="embed_text", components=["text-encoder"], request={"texts": ["bread"]})


def text_task(number: int) -> dict[str, Any]:
    """More text than will be written."""
    messages = [{"role": "user", "content": "Write a long story."}]
    request = {"messages": messages, "maxTokens": 1500, "temperature": 1.0, "topP": 1.0}
    return task(number, program="generate_text", components=["language-model"], request=request)
