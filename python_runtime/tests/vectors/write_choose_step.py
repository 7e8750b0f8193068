"""Makes test/contract/choose-step.json, the vectors of PROTOCOL.md section 8.

What is expected was worked out by hand, not by the code under test. Rewrite the file by
`python -m tests.vectors.write_choose_step` in python_runtime.

A vector: `ready` and `policies` (by model) at the time `now`, the stage that goes `first` (null: neither), and the
`result`. A state without a `limit` has none of its own.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CHOOSE_STEP_JSON = Path(__file__).parents[3] / "test" / "contract" / "choose-step.json"

Ready = dict[str, Any]
Vector = dict[str, Any]

IDLE = {"idle": True}


def main() -> None:
    """Rewrites the file; `npm run format` lays it out."""
    vectors = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in all_vectors())
    CHOOSE_STEP_JSON.write_text(f'{{"vectors": [\n{vectors}\n]}}\n', encoding="utf-8")


def all_vectors() -> list[Vector]:
    """Every vector, simple ones first."""
    return [*orders(), *classes(), *groups(), *holds(), *stages(), *limits(), *node_limits(), *deadlines(), *edges()]


def orders() -> list[Vector]:
    """One group: who comes first, and how many."""
    return [
        vector("nothing ready", [], policy(4), IDLE),
        vector("one ready", [ready(1)], policy(4), step(1)),
        vector("fewer than the limit", [ready(1), ready(2), ready(3)], policy(4), step(1, 2, 3)),
        vector("as many as the limit", [ready(1), ready(2), ready(3)], policy(3), step(1, 2, 3)),
        vector("more than the limit", [ready(1), ready(2), ready(3)], policy(2), step(1, 2)),
        vector("a limit of one", [ready(2), ready(1)], policy(1), step(1)),
        vector(
            "order decides, not arrival",
            [ready(1, order=9), ready(2, order=4), ready(3, order=7)],
            policy(2),
            step(2, 3),
        ),
        vector(
            "equal orders fall to the smaller id",
            [ready(8, order=5), ready(3, order=5), ready(5, order=5)],
            policy(2),
            step(3, 5),
        ),
        vector(
            "negative orders come before zero",
            [ready(1, order=0), ready(2, order=-4), ready(3, order=-2)],
            policy(2),
            step(2, 3),
        ),
        vector(
            "a task that has begun goes on before one that has not",
            [ready(10, order=1, since=990), ready(11, order=2, since=0)],
            policy(1),
            step(10),
        ),
        vector(
            "readiness for longer does not overtake",
            [ready(1, order=2, since=0), ready(2, order=1, since=999)],
            policy(1),
            step(2),
        ),
    ]


def classes() -> list[Vector]:
    """Interactive before batch, where the policy says so."""
    batch_one = ready(1, task_class="batch")
    mixed = [batch_one, ready(2, task_class="batch"), ready(3), ready(4)]
    return [
        vector("interactive first", mixed, policy(2), step(3, 4)),
        vector("batch does not join a step of interactive work", mixed, policy(3), step(3, 4)),
        vector("classes are equal when the policy says so", mixed, policy(2, interactive_first=False), step(1, 2)),
        vector(
            "order holds inside the class only",
            [ready(1, task_class="batch", order=1), ready(2, order=100)],
            policy(1),
            step(2),
        ),
        vector(
            "batch alone",
            [ready(2, task_class="batch", order=3), ready(1, task_class="batch", order=5)],
            policy(4),
            step(2, 1),
        ),
        vector(
            "a model without classes competes by order",
            [ready(1, task_class="batch", order=1), ready(2, model=2, order=2)],
            {**policy(1, interactive_first=False), **policy(1, model=2)},
            step(1),
        ),
        vector(
            "its batch task comes behind an earlier interactive one of another model",
            [ready(1, task_class="batch", order=3), ready(2, model=2, order=2)],
            {**policy(1, interactive_first=False), **policy(1, model=2)},
            step(2, model=2),
        ),
        vector(
            "interactive of one model goes before batch of another",
            [ready(1, task_class="batch", order=1), ready(2, model=2, order=9)],
            {**policy(4), **policy(4, model=2)},
            step(2, model=2),
        ),
    ]


def groups() -> list[Vector]:
    """Equal model and batch key share a step; others do not."""
    two_models = {**policy(4), **policy(4, model=2)}
    return [
        vector(
            "keys do not mix", [ready(1, key="a"), ready(2, key="b"), ready(3, key="a")], policy(4), step(1, 3, key="a")
        ),
        vector(
            "models do not mix, even with equal keys", [ready(1), ready(2, model=2), ready(3)], two_models, step(1, 3)
        ),
        vector(
            "the group of the first task wins, not the largest",
            [ready(1, key="b"), ready(2, key="a"), ready(3, key="a"), ready(4, key="a")],
            policy(4),
            step(1, key="b"),
        ),
        vector(
            "a group's place is its first member's",
            [ready(5, key="a", order=5), ready(6, key="b", order=2), ready(7, key="a", order=1)],
            policy(4),
            step(7, 5, key="a"),
        ),
        vector(
            "the limit is that of the group's model",
            [ready(1, model=2), ready(2, model=2), ready(3), ready(4)],
            {**policy(4), **policy(1, model=2)},
            step(1, model=2),
        ),
        vector(
            "an interactive member goes forward without batch members of its key",
            [ready(1, key="a", task_class="batch"), ready(2, key="b", task_class="batch"), ready(3, key="b")],
            policy(4),
            step(3, key="b"),
        ),
        vector(
            "a full batch is not broken up by a newcomer",
            [ready(9, order=9), ready(1), ready(2)],
            policy(2),
            step(1, 2),
        ),
    ]


def holds() -> list[Vector]:
    """Waiting for company, at the time 1000."""
    return [
        vector("a lone task holds", [ready(1, since=998)], policy(4, hold_ms=5), wait(1003)),
        vector("a hold ends at its end", [ready(1, since=995)], policy(4, hold_ms=5), step(1)),
        vector("a hold is over", [ready(1, since=10)], policy(4, hold_ms=5), step(1)),
        vector(
            "a full batch does not hold", [ready(1, since=1000), ready(2, since=1000)], policy(2, hold_ms=5), step(1, 2)
        ),
        vector(
            "the oldest member ends the hold",
            [ready(1, since=999), ready(2, since=995)],
            policy(4, hold_ms=5),
            step(1, 2),
        ),
        vector(
            "the oldest member sets the end",
            [ready(1, since=999), ready(2, since=997.5)],
            policy(4, hold_ms=5),
            wait(1002.5),
        ),
        vector(
            "only members of the batch count",
            [ready(1, since=1000), ready(2, since=1000), ready(3, since=0)],
            policy(2, hold_ms=5),
            step(1, 2),
        ),
        vector(
            "a holding group lets the next one pass",
            [ready(1, key="a", since=999), ready(2, key="b", since=990)],
            policy(4, hold_ms=5),
            step(2, key="b"),
        ),
        vector(
            "a holding model lets another model pass",
            [ready(1, since=999), ready(2, model=2, since=999)],
            {**policy(4, hold_ms=5), **policy(4, model=2)},
            step(2, model=2),
        ),
        vector(
            "interactive holds, batch of another key passes",
            [ready(1, key="a", since=999), ready(2, key="b", task_class="batch", since=0)],
            policy(4, hold_ms=5),
            step(2, key="b"),
        ),
        vector(
            "the smallest end of several holds",
            [ready(1, key="a", since=999), ready(2, key="b", since=996), ready(3, model=2, since=1000)],
            {**policy(4, hold_ms=5), **policy(4, model=2, hold_ms=0.5)},
            wait(1000.5),
        ),
        vector(
            "ready in the future, by a clock that was read twice",
            [ready(1, since=1001)],
            policy(4, hold_ms=5),
            wait(1006),
        ),
        vector("no hold, ready in the future", [ready(1, since=1001)], policy(4, hold_ms=0), wait(1001)),
    ]


def stages() -> list[Vector]:
    """Which stage goes first, inside a class."""
    late = ready(1, key="a", stage="postprocessing")
    mixed = [late, ready(2, key="b")]
    return [
        vector("neither stage goes first", mixed, policy(4), step(1, key="a")),
        vector("inference goes first", mixed, policy(4), step(2, key="b"), first="inference"),
        vector("postprocessing goes first", mixed, policy(4), step(1, key="a"), first="postprocessing"),
        vector("who goes first has nothing to do", [ready(2)], policy(4), step(2), first="postprocessing"),
        vector(
            "interactive goes before batch, whichever stage goes first",
            [ready(1, key="a", task_class="batch"), ready(2, key="b", stage="postprocessing")],
            policy(4),
            step(2, key="b"),
            first="inference",
        ),
        vector(
            "the stage decides among batch tasks too",
            [ready(1, key="a", task_class="batch"), ready(2, key="b", task_class="batch", stage="postprocessing")],
            policy(4),
            step(2, key="b"),
            first="postprocessing",
        ),
        vector(
            "classes are equal and the stage decides",
            [ready(1, key="a", stage="postprocessing"), ready(2, key="b", task_class="batch")],
            policy(4, interactive_first=False),
            step(2, key="b"),
            first="inference",
        ),
        vector(
            "order holds inside a stage",
            [ready(1, order=9), ready(2, order=8), ready(3, order=1, key="a", stage="postprocessing")],
            policy(4),
            step(2, 1),
            first="inference",
        ),
        vector(
            "stages of one model and key share a step, the first stage in front",
            [ready(1, stage="postprocessing"), ready(2), ready(3, stage="postprocessing")],
            policy(2),
            step(2, 1),
            first="inference",
        ),
        vector(
            "the stage decides between models",
            [ready(1, stage="postprocessing"), ready(2, model=2)],
            {**policy(4), **policy(4, model=2)},
            step(2, model=2),
            first="inference",
        ),
        vector(
            "the first stage holds, the other passes",
            [ready(1, key="a", since=999), ready(2, key="b", stage="postprocessing", since=0)],
            policy(4, hold_ms=5),
            step(2, key="b"),
            first="inference",
        ),
    ]


def limits() -> list[Vector]:
    """What a program says of its own steps."""
    pairs = [ready(number, limit=2) for number in (1, 2, 3)]
    return [
        vector("a program's limit is below the policy's", pairs, policy(4), step(1, 2)),
        vector("a program's limit is above the policy's", pairs, policy(1), step(1)),
        vector("a program's limit is the policy's", pairs, policy(2), step(1, 2)),
        vector("fewer than a program's limit", [ready(1, limit=2)], policy(4), step(1)),
        vector("a program's limit of one", [ready(2, limit=1), ready(1, limit=1)], policy(4), step(1)),
        vector(
            "a step as large as its program's limit does not hold",
            [ready(1, limit=2, since=1000), ready(2, limit=2, since=1000)],
            policy(4, hold_ms=5),
            step(1, 2),
        ),
        vector(
            "a step below its program's limit holds", [ready(1, limit=2, since=998)], policy(4, hold_ms=5), wait(1003)
        ),
        vector(
            "the smallest limit of a group counts, its owner in the step or not",
            [ready(1), ready(2, limit=3), ready(3), ready(4, limit=2)],
            policy(8),
            step(1, 2),
        ),
        vector(
            "a limit is that of its group only",
            [ready(1, key="a"), ready(2, key="a"), ready(3, key="b", limit=1)],
            policy(4),
            step(1, 2, key="a"),
        ),
    ]


def node_limits() -> list[Vector]:
    """What the server has learnt of a node's steps."""
    three = [ready(number) for number in (1, 2, 3)]
    of_batch = [ready(number, task_class="batch") for number in (1, 2, 3)]
    small = [ready(number, shape="small") for number in (1, 2, 3)]
    return [
        vector("a node's limit", three, policy(4, limits=[node_limit(2)]), step(1, 2)),
        vector("the limit of another node", three, policy(4, limits=[node_limit(2, node="other")]), step(1, 2, 3)),
        vector("a node's limit above the model's", three, policy(2, limits=[node_limit(3)]), step(1, 2)),
        vector(
            "a node's limit above the program's own",
            [ready(1, limit=1), ready(2, limit=1)],
            policy(4, limits=[node_limit(3)]),
            step(1),
        ),
        vector(
            "the limit of a shape counts more than its node's",
            small,
            policy(4, limits=[node_limit(1), node_limit(2, shape="small")]),
            step(1, 2),
        ),
        vector(
            "a shape without a limit of its own has its node's",
            small,
            policy(4, limits=[node_limit(3, shape="large"), node_limit(1)]),
            step(1),
        ),
        vector("the limit of another shape", small, policy(4, limits=[node_limit(1, shape="large")]), step(1, 2, 3)),
        vector("batch class has a limit of its own", of_batch, policy(4, limits=[node_limit(3, batch=1)]), step(1)),
        vector("that may be above the node's", of_batch, policy(4, limits=[node_limit(1, batch=2)]), step(1, 2)),
        vector("batch class without one has the node's", of_batch, policy(4, limits=[node_limit(2)]), step(1, 2)),
        vector(
            "interactive work does not have that of batch class",
            three,
            policy(4, limits=[node_limit(2, batch=1)]),
            step(1, 2),
        ),
        vector(
            "where classes are equal the smallest limit of a group counts",
            [ready(1), ready(2, task_class="batch"), ready(3)],
            policy(4, interactive_first=False, limits=[node_limit(3, batch=2)]),
            step(1, 2),
        ),
        vector(
            "a node holds for longer than its model",
            [ready(1, since=995)],
            policy(4, hold_ms=2, limits=[node_limit(4, hold_ms=8)]),
            wait(1003),
        ),
        vector(
            "a node does not hold, though its model does",
            [ready(1, since=999)],
            policy(4, hold_ms=50, limits=[node_limit(4, hold_ms=0)]),
            step(1),
        ),
        vector(
            "a step as large as its node's limit does not hold",
            [ready(1, since=1000), ready(2, since=1000)],
            policy(4, hold_ms=50, limits=[node_limit(2)]),
            step(1, 2),
        ),
    ]


def deadlines() -> list[Vector]:
    """A hold ends where a deadline leaves 1.06 times a step of one more: of two 100 + 2 * 50 ms, of three 250 ms."""
    patient = policy(4, hold_ms=1000, limits=[node_limit(4, base_ms=100, state_ms=50)])
    return [
        vector("a far deadline", [ready(1, since=1000, deadline=3000)], patient, wait(2000)),
        vector("a near deadline", [ready(1, since=1000, deadline=1412)], patient, wait(1200)),
        vector("a deadline that leaves no time", [ready(1, since=1000, deadline=1212)], patient, step(1)),
        vector("a deadline that has passed", [ready(1, since=1000, deadline=900)], patient, step(1)),
        vector(
            "the first deadline of a step counts",
            [ready(1, since=1000, deadline=1865), ready(2, since=1000, deadline=1465), ready(3, key="j", since=1000)],
            patient,
            wait(1200),
        ),
        vector(
            "a deadline of a node of which nothing is known",
            [ready(1, since=1000, deadline=1212)],
            policy(4, hold_ms=1000, limits=[node_limit(4)]),
            wait(2000),
        ),
    ]


def edges() -> list[Vector]:
    """Where it is easy to be wrong."""
    largest = 2**53 - 1
    return [
        vector(
            "large ids and orders",
            [ready(largest, order=largest - 1), ready(1, order=largest)],
            policy(1),
            step(largest),
        ),
        vector("a policy for a model without tasks", [ready(1)], {**policy(4), **policy(1, model=7)}, step(1)),
        vector("a limit of one never holds", [ready(1, since=1000)], policy(1, hold_ms=50), step(1)),
        vector(
            "ids are compared as numbers, not as texts",
            [ready(10, order=1), ready(9, order=1), ready(100, order=1)],
            policy(2),
            step(9, 10),
        ),
        vector("orders are compared as numbers", [ready(1, order=10), ready(2, order=9)], policy(1), step(2)),
    ]


def vector(
    name: str,
    tasks: Sequence[Ready],
    policies: dict[str, Any],
    result: dict[str, Any],
    *,
    first: str | None = None,
) -> Vector:
    """The vector itself, at the time 1000."""
    situation = {"now": 1000, "ready": list(tasks), "policies": policies, "first": first}
    return {"name": name, **situation, "result": result}


def ready(
    task: int,
    *,
    model: int = 1,
    key: str = "k",
    task_class: str = "interactive",
    order: int | None = None,
    since: float = 0,
    stage: str = "inference",
    limit: int | None = None,
    shape: str = "",
    deadline: float | None = None,
) -> Ready:
    """A state that may take part in a step; its order is its id unless said otherwise."""
    placed = task if order is None else order
    place = {"class": task_class, "stage": stage, "order": placed, "readySince": since}
    known = {"node": "node", "shape": shape, "deadlineAt": deadline}
    return {"task": task, "model": model, "batchKey": key, **place, **known, **({"limit": limit} if limit else {})}


def policy(
    batch_limit: int,
    *,
    model: int = 1,
    hold_ms: float = 0,
    interactive_first: bool = True,
    limits: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The policy of one model."""
    composition = {"batchLimit": batch_limit, "holdMs": hold_ms, "interactiveFirst": interactive_first}
    return {str(model): {**composition, "limits": list(limits)}}


def node_limit(
    limit: int,
    *,
    node: str = "node",
    shape: str | None = None,
    batch: int | None = None,
    hold_ms: float | None = None,
    base_ms: float | None = None,
    state_ms: float | None = None,
) -> dict[str, Any]:
    """What is known of a node, and of a shape where it is named."""
    times = {"holdMs": hold_ms, "baseMs": base_ms, "stateMs": state_ms}
    return {"node": node, "shape": shape, "limit": limit, "batchClassLimit": batch, **times}


def step(*tasks: int, model: int = 1, key: str = "k") -> dict[str, Any]:
    """These tasks, in this order."""
    return {"step": {"model": model, "batchKey": key, "tasks": list(tasks)}}


def wait(until: float) -> dict[str, Any]:
    """Every group holds."""
    return {"waitUntil": until}


if __name__ == "__main__":
    main()
