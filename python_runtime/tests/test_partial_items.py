"""Partial items flow as fast as credit allows, in order, and none is lost or sent twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import decode

from hearth_worker.item_flow import PARTIAL_BYTES_MAX, PARTIAL_ITEMS_MAX, ItemFlow
from hearth_worker.protocol.reports import Partial
from tests.support.requests import noop_task
from tests.support.worker_harness import WorkerHarness, noop_worker


def test_items_arrive_in_order_and_before_the_end() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"items": 10_000, "value": "end"}, credit=100_000))
        assert worker.wait_for_end_of(1)[1]["output"] == {"values": "end"}
        assert worker.items_of(1) == list(range(10_000))
        assert partials(worker)[-1].left == 90_000


def test_a_task_stops_at_its_credit_and_goes_on_with_more() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"items": 5000}, credit=3))
        worker.wait_for(Partial, lambda partial: partial.left == 0)
        assert worker.items_of(1) == [0, 1, 2]
        worker.send(7, {"tasks": [{"task": 1, "items": 4}]})
        worker.wait_for(Partial, lambda partial: partial.values[-1] == 6)
        worker.send(7, {"tasks": [{"task": 1, "items": 100_000}]})
        worker.wait_for_end_of(1)
        assert worker.items_of(1) == list(range(5000))


def test_without_credit_nothing_leaves_but_others_go_on() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"items": 10}, credit=0), noop_task(2, {"steps": 5}))
        worker.wait_for_end_of(2)
        assert worker.items_of(1) == []
        worker.send(7, {"tasks": [{"task": 1, "items": 10}]})
        worker.wait_for_end_of(1)
        assert worker.items_of(1) == list(range(10))


def test_a_task_without_items_needs_no_credit() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"steps": 3}, credit=0))
        assert worker.wait_for_end_of(1)[1]["kind"] == "done"


def test_a_task_that_waits_for_credit_can_be_cancelled() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"items": 10_000}, credit=5))
        worker.wait_for(Partial)
        worker.send(5, {"tasks": [1]})
        assert worker.wait_for_end_of(1)[1]["kind"] == "cancelled"
        worker.acknowledged(worker.send(7, {"tasks": [{"task": 1, "items": 10_000}]}))
        assert worker.items_of(1) == [0, 1, 2, 3, 4]


def test_the_first_items_leave_alone_and_later_ones_in_full_frames() -> None:
    with noop_worker() as worker:
        worker.admit(noop_task(1, {"items": 3 * PARTIAL_ITEMS_MAX}, credit=10**6))
        worker.wait_for_end_of(1)
        assert [len(partial.values) for partial in partials(worker)] == [PARTIAL_ITEMS_MAX] * 3


@given(st.integers(0, 50), st.lists(st.integers(0, 40)), st.lists(st.integers(0, 60)))
def test_what_leaves_is_what_was_emitted_up_to_the_credit(
    credit: int, emitted: list[int], given_later: list[int]
) -> None:
    flow = ItemFlow(1, credit)
    sent: list[int] = []
    count = 0
    for step, items in enumerate(emitted):
        flow.emit(range(count, count + items))
        count += items
        if step < len(given_later):
            flow.give(given_later[step])
        sent += sent_by(flow)
    given_in_all = credit + sum(given_later[: len(emitted)])
    assert sent == list(range(min(count, given_in_all)))
    assert flow.is_held == (count > given_in_all)
    assert flow.is_blocked == (flow.is_held or given_in_all == len(sent))


def test_a_frame_of_items_is_bounded_by_bytes() -> None:
    flow = ItemFlow(1, 1000)
    flow.emit(["x" * 1000] * 1000)
    frames = [meta for meta, _ in flow.frames()]
    assert all(len(meta) <= PARTIAL_BYTES_MAX for meta in frames)
    assert 4 <= len(frames) <= 8
    flow.give(1)
    flow.emit(["x" * (2 * PARTIAL_BYTES_MAX)])
    assert [len(meta) > PARTIAL_BYTES_MAX for meta, _ in flow.frames()] == [True]


@pytest.mark.parametrize("item", [object(), 2**70, "x" * (17 * 1024 * 1024)])
def test_an_item_that_no_frame_can_carry_is_refused_whole(item: object) -> None:
    flow = ItemFlow(1, 10)
    with pytest.raises((TypeError, ValueError, OverflowError)):
        flow.emit([1, item])
    assert sent_by(flow) == []


def sent_by(flow: ItemFlow) -> list[int]:
    """Everything that leaves now; what is left is told each time."""
    values: list[int] = []
    for meta, _ in flow.frames():
        partial = decode(meta, type=Partial)
        values += partial.values
        assert len(partial.values) <= PARTIAL_ITEMS_MAX
    return values


def partials(worker: WorkerHarness) -> list[Partial]:
    """All PARTIAL frames heard so far."""
    return [report for _, report in worker.heard if isinstance(report, Partial)]
