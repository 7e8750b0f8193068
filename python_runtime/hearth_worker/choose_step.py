"""Which states share the next step: PROTOCOL.md section 8, to the letter.

Pure, and written a second time in TypeScript for the simulator's model of a worker;
test/contract/choose-step.json holds the two together.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from hearth_worker.protocol.requests import Stage, TaskClass


class ReadyTask(Protocol):
    """A state that may take part in a step now."""

    @property
    def task(self) -> int: ...
    @property
    def model(self) -> int: ...
    @property
    def batch_key(self) -> Hashable: ...
    @property
    def task_class(self) -> TaskClass: ...
    @property
    def stage(self) -> Stage: ...
    @property
    def order(self) -> int: ...
    @property
    def ready_since(self) -> float:
        """Milliseconds, of the clock that `now` is read from."""
        ...

    @property
    def limit(self) -> int | None:
        """So many states of its program may share a step; None: it does not mind."""
        ...


class StepPolicy(Protocol):
    """How steps of one model are composed."""

    @property
    def batch_limit(self) -> int: ...
    @property
    def hold_ms(self) -> float: ...
    @property
    def interactive_first(self) -> bool: ...


Ready = TypeVar("Ready", bound=ReadyTask)


class Step(Struct, Generic[Ready], frozen=True):
    """These tasks, of one rank, model and batch key, share the next step."""

    tasks: list[Ready]


class WaitUntil(Struct, frozen=True):
    """Every group holds; the first hold ends at this time, in milliseconds."""

    time: float


Policies = Mapping[int, StepPolicy]


def choose_step(
    ready: Iterable[Ready], policies: Policies, now: float, first: Stage | None = None
) -> Step[Ready] | WaitUntil | None:
    """The next step, or how long to wait for company, or None when nothing is ready. Times in milliseconds.

    `first` is the stage that goes first inside a rank; None: neither does.
    """
    first_end_of_hold: float | None = None
    for group in _groups(ready, policies, first):
        policy = policies[group[0].model]
        limit = min((member.limit for member in group if member.limit is not None), default=policy.batch_limit)
        limit = min(limit, policy.batch_limit)
        members = group[:limit]
        if len(members) == limit:
            return Step(members)
        oldest = min(member.ready_since for member in members)
        if now - oldest >= policy.hold_ms:
            return Step(members)
        end_of_hold = oldest + policy.hold_ms
        if first_end_of_hold is None or end_of_hold < first_end_of_hold:
            first_end_of_hold = end_of_hold
    return None if first_end_of_hold is None else WaitUntil(first_end_of_hold)


def rank_of(candidate: ReadyTask, policies: Policies) -> int:
    """0 goes before 1, whatever the stage."""
    return 1 if candidate.task_class == "batch" and policies[candidate.model].interactive_first else 0


def place_in_order(candidate: ReadyTask, policies: Policies, first: Stage | None) -> tuple[int, bool, int, int]:
    """What `ready` is sorted by: rank, whether the other stage goes first, order, task."""
    is_late = first is not None and candidate.stage != first
    return rank_of(candidate, policies), is_late, candidate.order, candidate.task


def _groups(ready: Iterable[Ready], policies: Policies, first: Stage | None) -> Iterable[list[Ready]]:
    """Those of equal rank, model and batch key together, in the order of their first members."""
    groups: dict[tuple[int, int, Hashable], list[Ready]] = {}
    for candidate in sorted(ready, key=lambda candidate: place_in_order(candidate, policies, first)):
        key = rank_of(candidate, policies), candidate.model, candidate.batch_key
        groups.setdefault(key, []).append(candidate)
    return groups.values()
