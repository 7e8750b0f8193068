"""A worker whose model is still being loaded: what is there of it is used."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hearth_worker.protocol.reports import ComponentLoaded, Error, Loaded
from tests.support import gated_engine
from tests.support.gated_engine import WEIGHTS_BYTES, Gates, gated
from tests.support.requests import noop_task, task
from tests.support.worker_harness import WorkerHarness


@pytest.fixture
def gates(tmp_path: Path) -> Iterator[Gates]:
    folder = tmp_path / "model"
    folder.mkdir()
    with gated(folder, {"encoder": [], "unet": []}) as gates:
        yield gates


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[WorkerHarness]:
    with WorkerHarness("gated", variables=gated_engine.install(tmp_path)) as worker:
        worker.hello()
        worker.set_policy(1, 8)
        yield worker


def test_a_task_runs_on_the_components_that_are_there(worker: WorkerHarness, gates: Gates) -> None:
    request_id = worker.send(1, gates.load_meta())
    gates.open("encoder")
    told = worker.wait_for(ComponentLoaded)
    assert (told.model, told.component, told.weights_bytes) == (1, "encoder", WEIGHTS_BYTES)
    worker.admit(encoding(1))
    assert worker.wait_for_end_of(1)[1]["kind"] == "done"
    assert not any(isinstance(report, Loaded) for _, report in worker.heard)
    gates.open("unet")
    loaded = worker.answer_to(request_id)
    assert isinstance(loaded, Loaded)
    assert loaded.weights_bytes == 2 * WEIGHTS_BYTES
    kinds = [report.component for _, report in worker.heard if isinstance(report, ComponentLoaded)]
    assert kinds == ["encoder", "unet"]


def test_tasks_that_came_before_their_components_run_when_those_come(worker: WorkerHarness, gates: Gates) -> None:
    worker.send(1, gates.load_meta())
    worker.acknowledged(worker.admit(encoding(1), both(2), noop_task(3)))
    assert worker.wait_for_end_of(3)[3]["kind"] == "done"
    gates.open("encoder")
    assert worker.wait_for_end_of(1)[1]["kind"] == "done"
    gates.open("unet")
    assert worker.wait_for_end_of(2)[2]["kind"] == "done"


def test_a_task_that_waits_for_its_components_can_be_withdrawn_cancelled_and_too_late(
    worker: WorkerHarness, gates: Gates
) -> None:
    worker.send(1, gates.load_meta())
    worker.admit(both(1), both(2), both(3, deadlineMs=1), both(4))
    worker.send(4, {"tasks": [1]})
    worker.send(5, {"tasks": [2]})
    ends = worker.wait_for_end_of(1, 2, 3)
    assert [ends[task]["kind"] for task in (1, 2, 3)] == ["withdrawn", "cancelled", "failed"]
    assert ends[3]["code"] == "deadline_exceeded"
    gates.open("encoder")
    gates.open("unet")
    assert worker.wait_for_end_of(4)[4]["kind"] == "done"
    assert [worker.kinds_of(task)[-1] for task in (1, 2, 3)] == ["withdrawn", "cancelled", "failed"]


def test_a_task_that_is_paused_while_it_waits_does_not_begin(worker: WorkerHarness, gates: Gates) -> None:
    worker.send(1, gates.load_meta())
    worker.admit(encoding(1), encoding(2))
    worker.send(13, {"tasks": [1]})
    assert worker.wait_for_entry("paused", 1)["stateBytes"] == 0
    gates.open("encoder")
    worker.wait_for_end_of(2)
    assert worker.kinds_of(1) == ["paused"]
    worker.send(14, {"tasks": [1]})
    assert worker.wait_for_end_of(1)[1]["kind"] == "done"


def test_a_task_that_waits_for_its_components_has_taken_its_inputs(
    tmp_path: Path, gates: Gates, third_party_variables: dict[str, str]
) -> None:
    paths = [gated_engine.install(tmp_path)["PYTHONPATH"], third_party_variables["PYTHONPATH"]]
    with WorkerHarness("gated", variables={"PYTHONPATH": os.pathsep.join(paths)}) as worker:
        worker.hello()
        worker.set_policy(1, 8)
        worker.send(1, gates.load_meta())
        worker.admit(relay(1, [], hold=True))
        worker.wait_for_end_of(1)
        worker.admit(relay(2, ["unet"], inputs={"encode": 1}), relay(3, ["unet"], inputs={"encode": 4711}))
        assert worker.wait_for_end_of(3)[3]["code"] == "input_missing"
        worker.acknowledged(worker.send(20, {"tasks": [1]}))
        gates.open_all()
        assert worker.wait_for_end_of(2)[2]["kind"] == "done"


def test_components_that_are_not_coming_are_waited_for_by_nobody(worker: WorkerHarness, gates: Gates) -> None:
    worker.send(1, gates.load_meta())
    worker.admit(noop_task(1, components=["nobody's"]))
    end = worker.wait_for_end_of(1)[1]
    assert (end["code"], end["retryable"]) == ("engine_error", True)
    assert "without all the components" in end["message"]


@pytest.mark.parametrize(("words", "code"), [("broken", "engine_error"), ("huge", "out_of_memory")])
def test_a_failed_load_fails_its_tasks_so_that_others_may_try_and_can_be_tried_again(
    worker: WorkerHarness, gates: Gates, words: str, code: str
) -> None:
    request_id = worker.send(1, gates.load_meta())
    worker.admit(both(1))
    gates.open("encoder")
    worker.wait_for(ComponentLoaded)
    worker.admit(encoding(2, {"steps": 1_000_000, "stepMs": 1}))
    worker.wait_for_entry("started", 2)
    gates.open("unet", words)
    refused = worker.answer_to(request_id)
    assert isinstance(refused, Error)
    assert (refused.code, refused.retryable) == (code, code == "out_of_memory")
    for end in worker.wait_for_end_of(1, 2).values():
        assert (end["kind"], end["code"], end["retryable"]) == ("failed", code, True)
        assert "was not loaded" in end["message"]
    request_id = worker.send(1, gates.load_meta())
    gates.open("encoder")
    gates.open("unet")
    assert isinstance(worker.answer_to(request_id), Loaded)


def test_a_model_that_is_being_loaded_is_neither_loaded_again_nor_unloaded(worker: WorkerHarness, gates: Gates) -> None:
    request_id = worker.send(1, gates.load_meta())
    again, unload = worker.send(1, gates.load_meta()), worker.send(2, {"model": 1})
    for refused, code in ((worker.answer_to(again), "engine_error"), (worker.answer_to(unload), "in_use")):
        assert isinstance(refused, Error)
        assert refused.code == code
        assert "being loaded" in refused.message
    gates.open("encoder")
    gates.open("unet")
    assert isinstance(worker.answer_to(request_id), Loaded)


def test_a_circle_is_refused_by_its_name(worker: WorkerHarness, tmp_path: Path) -> None:
    folder = tmp_path / "circle"
    folder.mkdir()
    with gated(folder, {"unet": ["unet"]}) as gates:
        refused = worker.answer_to(worker.send(1, gates.load_meta()))
    assert isinstance(refused, Error)
    assert (refused.code, refused.retryable) == ("engine_error", False)
    assert "unet -> unet" in refused.message


def test_a_circle_is_refused_although_none_of_it_is_asked_for(worker: WorkerHarness, tmp_path: Path) -> None:
    folder = tmp_path / "circle"
    folder.mkdir()
    with gated(folder, {"unet": [], "upscaler": ["sharpener"], "sharpener": ["upscaler"]}) as gates:
        refused = worker.answer_to(worker.send(1, gates.load_meta() | {"components": ["unet"]}))
    assert isinstance(refused, Error)
    assert "in a circle" in refused.message


def test_a_worker_ends_while_a_model_is_being_loaded(worker: WorkerHarness, gates: Gates) -> None:
    worker.acknowledged(worker.send(1, gates.load_meta()))
    worker.send(10)
    assert worker.exit_status() == 0


def encoding(number: int, parameters: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """On the first component."""
    return noop_task(number, parameters, components=["encoder"], **fields)


def both(number: int, **fields: Any) -> dict[str, Any]:
    """On both."""
    return noop_task(number, components=["encoder", "unet"], **fields)


def relay(number: int, components: Sequence[str], **fields: Any) -> dict[str, Any]:
    """A task that hands on what it makes."""
    return task(number, program="relay", components=list(components), request={"sizeBytes": 0}, **fields)
