"""Which states share the next step: PROTOCOL.md section 8, to the letter.

Pure, and written a second time in TypeScript for the simulator's model of a worker;
test/contract/choose-step.json holds the two together.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from math import inf
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

    @property
    def node(self) -> str:
        """What its program is to its model."""
        ...

    @property
    def shape(self) -> str:
        """What makes steps of its node comparable; the same for all of a batch key."""
        ...

    @property
    def deadline_at(self) -> float | None: ...


class NodeLimit(Protocol):
    """What the server has learnt of steps of a node."""

    @property
    def node(self) -> str: ...
    @property
    def shape(self) -> str | None:
        """None: of all shapes that have no limit of their own."""
        ...

    @property
    def limit(self) -> int: ...
    @property
    def batch_class_limit(self) -> int | None:
        """For tasks of class batch, where that is another."""
        ...

    @property
    def hold_ms(self) -> float | None: ...
    @property
    def base_ms(self) -> float | None: ...
    @property
    def state_ms(self) -> float | None:
        """A step of b states lasts `base_ms` + b * `state_ms`."""
        ...


class StepPolicy(Protocol):
    """How steps of one model are composed."""

    @property
    def batch_limit(self) -> int: ...
    @property
    def hold_ms(self) -> float: ...
    @property
    def interactive_first(self) -> bool: ...
    @property
    def limits(self) -> Sequence[NodeLimit] | None: ...


# A step may last so many times as long as it is expected to, where a deadline is near.
LATENESS = 1.06

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
        limit = min(_limit_of(member, policy) for member in group)
        members = group[:limit]
        if len(members) == limit:
            return Step(members)
        end_of_hold = _end_of_hold(members, policy)
        if end_of_hold <= now:
            return Step(members)
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


def _limit_of(member: ReadyTask, policy: StepPolicy) -> int:
    limits = [policy.batch_limit]
    if member.limit is not None:
        limits.append(member.limit)
    known = _node_limit(member, policy)
    if known is not None:
        is_of_batch = member.task_class == "batch" and known.batch_class_limit is not None
        limits.append(known.batch_class_limit if is_of_batch and known.batch_class_limit else known.limit)
    return min(limits)


def _end_of_hold(members: Sequence[ReadyTask], policy: StepPolicy) -> float:
    """Until then more may come; a deadline is to leave time for a step of one more."""
    known = _node_limit(members[0], policy)
    oldest = min(member.ready_since for member in members)
    if known is None:
        return oldest + policy.hold_ms
    end = oldest + (policy.hold_ms if known.hold_ms is None else known.hold_ms)
    if known.base_ms is None or known.state_ms is None:
        return end
    step_ms = LATENESS * (known.base_ms + known.state_ms * (len(members) + 1))
    deadlines = (inf if member.deadline_at is None else member.deadline_at for member in members)
    return min(end, min(deadlines) - step_ms)


def _node_limit(member: ReadyTask, policy: StepPolicy) -> NodeLimit | None:
    """That of its shape, else that of its node."""
    of_node: NodeLimit | None = None
    for known in policy.limits or ():
        if known.node == member.node:
            if known.shape == member.shape:
                return known
            if known.shape is None and of_node is None:
                of_node = known
    return of_node
