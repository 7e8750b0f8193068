"""Outputs that stay in the worker for the tasks that come after: handed on as they are, and dropped in time."""

import socket
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from msgspec import Struct, convert

from hearth_worker.activity import Activity
from hearth_worker.bound_program import BoundProgram
from hearth_worker.checkpoints import Checkpoints
from hearth_worker.connection import Connection
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.none import NothingLoaded
from hearth_worker.failures import InputMissing
from hearth_worker.held_outputs import HeldOutputs, size_bytes
from hearth_worker.programs.outcomes import Done, Failed
from hearth_worker.protocol.numbers import COUNT_MAX
from hearth_worker.protocol.reports import Unloaded
from hearth_worker.protocol.requests import Task
from hearth_worker.protocol.tensors import Tensor
from hearth_worker.report import Report
from hearth_worker.settle import Settlement
from hearth_worker.tasks import TaskRecord, Tasks
from tests.support.patient_programs import Relay, RelayState
from tests.support.requests import task
from tests.support.worker_harness import WorkerHarness, noop_worker

RELEASE = 20
SIZE_BYTES = 100_000


class Picture(Struct, frozen=True):
    """An output as programs make it."""

    picture: object
    mask: object = None
    name: str = "a name counts for nothing"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({}, 0),
        ({"score": 0.5, "label": "nsfw", "isSafe": True, "nothing": None}, 0),
        (Picture(np.zeros((3, 64, 64), np.float32)), 3 * 64 * 64 * 4),
        (Picture(b"1234", bytearray(3)), 7),
        (Picture(memoryview(b"12345678")), 8),
        (Picture(Tensor("float32", [2], b"12345678"), Tensor("uint8", [5], np.zeros(5, np.uint8))), 13),
        ({"a": [Picture(b"1"), (b"22", {"b": b"333"})]}, 6),
    ],
)
def test_an_output_takes_what_its_arrays_and_binaries_take(output: object, expected: int) -> None:
    assert size_bytes(output) == expected


def test_what_an_output_has_twice_takes_its_bytes_once() -> None:
    data = b"1234"
    wide: Any = data
    for _ in range(60):
        wide = [wide, wide]
    assert size_bytes(wide) == 4


@pytest.mark.parametrize(("told", "counted"), [(2**60, COUNT_MAX), (-5, 0), ("many", 0)])
def test_what_no_array_can_take_is_told_as_a_number_that_frames_carry(told: object, counted: int) -> None:
    assert size_bytes(Picture(SimpleNamespace(nbytes=told))) == counted


@pytest.mark.parametrize("error", [RuntimeError("nobody knows"), SystemExit(3)])
def test_an_output_that_cannot_be_measured_fails_its_task_and_is_not_held(error: BaseException) -> None:
    class Rude:
        @property
        def nbytes(self) -> int:
            raise error

    ours, theirs = socket.socketpair()
    with ours, theirs:
        tasks, held, report = Tasks(Activity()), HeldOutputs(), Report(Connection(theirs), Activity())
        settlement = Settlement(tasks, report, Checkpoints({}, report), held)
        bound = BoundProgram(1, 1, Relay(NothingLoaded(Manifest("noop", "none")), []))
        record = TaskRecord(convert(relay(1, hold=True), Task), bound, RelayState(0, {}), at=0)
        tasks.add(record)
        settlement.settle(record, Done(Picture(Rude())))
        report.leave(0)
        assert b"engine_error" in ours.recv(4096)
        assert (len(held), tasks.all()) == (0, [])


def test_an_output_that_holds_itself_is_counted_all_the_same() -> None:
    circle: list[Any] = [b"1234"]
    circle.append(circle)
    assert size_bytes(circle) >= 4


def test_a_held_output_is_taken_as_the_object_that_it_is_and_stays_held() -> None:
    held = HeldOutputs()
    output = Picture(b"1234")
    assert held.keep(1, 7, output) == 4
    assert held.take({"decode": 1})["decode"] is output
    assert held.take({"again": 1, "decode": 1}) == {"again": output, "decode": output}
    held.drop(1)
    held.drop(1)
    with pytest.raises(InputMissing, match="task 1"):
        held.take({"decode": 1})


def test_inputs_come_in_the_order_in_which_they_are_named() -> None:
    held = HeldOutputs()
    held.keep(2, 7, "decoded")
    held.keep(1, 7, "upscaled")
    assert list(held.take({"decode": 2, "upscale": 1})) == ["decode", "upscale"]


def test_a_model_takes_the_outputs_of_its_tasks_with_it() -> None:
    held = HeldOutputs()
    held.keep(1, 7, {})
    held.keep(2, 8, {})
    held.drop_of_model(7)
    assert len(held) == 1
    held.drop_all()
    assert len(held) == 0


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_nothing_of_what_a_task_took_and_made_outlives_it_but_what_is_held(end: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        tasks, held, report = Tasks(Activity()), HeldOutputs(), Report(Connection(theirs), Activity())
        settlement = Settlement(tasks, report, Checkpoints({}, report), held)
        bound = BoundProgram(1, 1, Relay(NothingLoaded(Manifest("noop", "none")), []))
        taken, made = np.zeros(9), np.zeros(9)
        fates = [weakref.ref(taken), weakref.ref(made)]
        admitted = convert(relay(1, hold=True, deadlineMs=60_000), Task)
        record = TaskRecord(admitted, bound, RelayState(0, {"encode": taken}), at=0)
        tasks.add(record)
        if end == "done":
            settlement.settle(record, Done(Picture(made)))
        elif end == "failed":
            settlement.fail(record, Failed("engine_error", "why"))
        else:
            settlement.cancel(record)
        del taken, made
        assert [fate() is not None for fate in fates] == [False, end == "done"]
        held.drop(1)
        assert [fate() for fate in fates] == [None, None]


def test_a_task_that_follows_gets_the_very_object_and_the_server_none_of_it(
    third_party_variables: dict[str, str],
) -> None:
    with noop_worker(third_party_variables) as worker:
        first = hold(worker, 1)
        assert first == {"kind": "done", "task": 1, "output": {}, "stepsRun": 1, "heldBytes": SIZE_BYTES}
        worker.admit(relay(2, inputs={"encode": 1}), relay(3, inputs={"encode": 1, "again": 1}))
        ends = worker.wait_for_end_of(2, 3)
        came = [*ends[2]["output"]["came"].values(), *ends[3]["output"]["came"].values()]
        assert len(came) == 3
        assert len(set(came)) == 1


def test_an_output_that_is_not_here_fails_who_needs_it_and_is_worth_another_try(
    third_party_variables: dict[str, str],
) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(relay(2, inputs={"encode": 1}), relay(3))
        ends = worker.wait_for_end_of(2, 3)
        assert (ends[2]["kind"], ends[2]["code"], ends[2]["retryable"]) == ("failed", "input_missing", True)
        assert "'encode'" in ends[2]["message"]
        assert ends[3]["kind"] == "done"


@pytest.mark.parametrize("frame_type", [RELEASE, 5])
def test_an_output_that_was_released_or_cancelled_is_gone(
    third_party_variables: dict[str, str], frame_type: int
) -> None:
    with noop_worker(third_party_variables) as worker:
        hold(worker, 1)
        worker.send(frame_type, {"tasks": [1, 4711]})
        worker.admit(relay(2, inputs={"encode": 1}))
        assert worker.wait_for_end_of(2)[2]["code"] == "input_missing"
        assert worker.kinds_of(1) == ["started", "done"]


def test_what_a_task_has_taken_is_its_own_whatever_is_released(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables, hold_ms=60_000) as worker:
        worker.set_policy(1, 64)
        hold(worker, 1)
        worker.set_policy(1, 64, hold_ms=60_000)
        worker.admit(relay(2, inputs={"encode": 1}))
        worker.send(RELEASE, {"tasks": [1]})
        worker.set_policy(1, 64)
        assert worker.wait_for_end_of(2)[2]["kind"] == "done"


def test_a_task_may_come_again_and_its_new_output_replaces_the_old(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        hold(worker, 1)
        worker.admit(relay(1, request={"sizeBytes": 5}, hold=True))
        for entry, _ in worker.entries():
            if entry["kind"] == "done" and entry["heldBytes"] == 5:
                break
        worker.admit(relay(2, inputs={"encode": 1}))
        assert worker.wait_for_end_of(2)[2]["kind"] == "done"


def test_a_model_with_held_outputs_leaves_and_takes_them_along(third_party_variables: dict[str, str]) -> None:
    with noop_worker(third_party_variables) as worker:
        hold(worker, 1)
        assert isinstance(worker.answer_to(worker.send(2, {"model": 1})), Unloaded)
        worker.load_noop(2)
        worker.admit(relay(2, model=2, inputs={"encode": 1}))
        assert worker.wait_for_end_of(2)[2]["code"] == "input_missing"


def test_an_output_that_no_frame_can_carry_fails_only_where_it_is_not_held(
    third_party_variables: dict[str, str],
) -> None:
    with noop_worker(third_party_variables) as worker:
        worker.admit(relay(1, request={"sizeBytes": 1}))
        assert worker.wait_for_end_of(1)[1]["kind"] == "failed"


def hold(worker: WorkerHarness, number: int) -> Any:
    """Runs a task whose output stays; returns its end."""
    worker.admit(relay(number, request={"sizeBytes": SIZE_BYTES}, hold=True))
    return worker.wait_for_end_of(number)[number]


def relay(number: int, **fields: Any) -> dict[str, Any]:
    """A task that makes bytes and says what it was given."""
    return task(number, program="relay", **{"request": {"sizeBytes": 0}, **fields})
