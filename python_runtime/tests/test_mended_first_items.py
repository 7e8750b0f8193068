"""The first items of a task leave at once, also when its credit comes after them."""

import socket

from hearth_worker.activity import Activity
from hearth_worker.connection import Connection
from hearth_worker.item_flow import ItemFlow
from hearth_worker.report import Report


def test_the_first_items_are_urgent_when_credit_comes() -> None:
    flow = ItemFlow(1, 0)
    flow.emit([1, 2, 3])
    assert list(flow.frames()) == []
    flow.give(100)
    assert flow.is_urgent
    list(flow.frames())
    flow.emit([4])
    assert not flow.is_urgent


def test_credit_without_items_sets_no_timer() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        report = Report(Connection(theirs), Activity())
        flow = ItemFlow(1, 0)
        flow.give(100)
        report.emitted(1, flow)
        assert report.due_at() is None
