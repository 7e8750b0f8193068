"""Engines that compute between steps carry a limited number of states at once; the others wait unstarted."""

from collections.abc import Collection, Iterable

from hearth_worker.choose_step import place_in_order
from hearth_worker.protocol.requests import Policy
from hearth_worker.tasks import TaskRecord


def within_seats(ready: Collection[TaskRecord], policies: dict[int, Policy]) -> Collection[TaskRecord]:
    """Those that have a seat in their engine or would get one now, first come first; a batch limit below counts."""
    if all(record.is_seated or record.bound.seats is None for record in ready):
        return ready
    free: dict[int, int] = {}
    seated: list[TaskRecord] = []
    for record in _in_order(ready, policies):
        seats = record.bound.seats
        if record.is_seated or seats is None:
            seated.append(record)
            continue
        limit = min(seats, policies[record.model].batch_limit)
        left = free.setdefault(record.bound.number, limit - record.bound.seated)
        if left > 0:
            free[record.bound.number] = left - 1
            seated.append(record)
    return seated


def _in_order(ready: Iterable[TaskRecord], policies: dict[int, Policy]) -> list[TaskRecord]:
    return sorted(ready, key=lambda record: place_in_order(record, policies, None))
