"""The step rule: the shared vectors, and properties that hold for any ready set."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, convert

from hearth_worker.choose_step import Step, WaitUntil, choose_step, rank_of
from hearth_worker.protocol.requests import NodeLimit, Stage, TaskClass
from tests.vectors.write_choose_step import CHOOSE_STEP_JSON, all_vectors

VECTORS: list[dict[str, Any]] = json.loads(CHOOSE_STEP_JSON.read_text(encoding="utf-8"))["vectors"]


class Ready(Struct, frozen=True):
    task: int
    model: int
    batch_key: str
    task_class: TaskClass
    stage: Stage
    order: int
    ready_since: float
    limit: int | None = None
    node: str = "node"
    shape: str = ""
    deadline_at: float | None = None


class Policy(Struct, frozen=True):
    batch_limit: int
    hold_ms: float
    interactive_first: bool
    limits: list[NodeLimit] | None = None


def test_the_file_has_what_its_generator_writes() -> None:
    assert json.loads(json.dumps(all_vectors())) == VECTORS


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_the_rule_gives_what_the_vector_says(vector: dict[str, Any]) -> None:
    ready = [
        Ready(
            task=given["task"],
            model=given["model"],
            batch_key=given["batchKey"],
            task_class=given["class"],
            stage=given["stage"],
            order=given["order"],
            ready_since=given["readySince"],
            limit=given.get("limit"),
            node=given["node"],
            shape=given["shape"],
            deadline_at=given["deadlineAt"],
        )
        for given in vector["ready"]
    ]
    policies = {
        int(model): Policy(
            given["batchLimit"], given["holdMs"], given["interactiveFirst"], convert(given["limits"], list[NodeLimit])
        )
        for model, given in vector["policies"].items()
    }
    assert described(choose_step(ready, policies, vector["now"], vector["first"])) == vector["result"]


def described(choice: Step[Ready] | WaitUntil | None) -> dict[str, Any]:
    """The result as the vectors write it down."""
    if choice is None:
        return {"idle": True}
    if isinstance(choice, WaitUntil):
        return {"waitUntil": choice.time}
    first = choice.tasks[0]
    return {"step": {"model": first.model, "batchKey": first.batch_key, "tasks": [task.task for task in choice.tasks]}}


NOW = 1000.0
MODELS = (1, 2)
STAGES = ("inference", "postprocessing")
ready_sets = st.lists(
    st.builds(
        Ready,
        task=st.integers(0, 10**6),
        model=st.sampled_from(MODELS),
        batch_key=st.sampled_from(("a", "b", "c")),
        task_class=st.sampled_from(("interactive", "batch")),
        stage=st.sampled_from(STAGES),
        order=st.integers(-5, 5),
        ready_since=st.floats(980, 1000),
        limit=st.none() | st.integers(1, 6),
    ),
    unique_by=lambda ready: ready.task,
    max_size=12,
)
policy_sets = st.fixed_dictionaries(
    {model: st.builds(Policy, st.integers(1, 5), st.sampled_from((0.0, 5.0, 15.0)), st.booleans()) for model in MODELS}
)
firsts = st.none() | st.sampled_from(STAGES)


@given(ready_sets, policy_sets, firsts)
def test_a_step_is_of_one_model_and_key_within_the_limit_and_does_not_hold(
    ready: list[Ready], policies: Mapping[int, Policy], first: Stage | None
) -> None:
    choice = choose_step(ready, policies, NOW, first)
    if not isinstance(choice, Step):
        return
    policy = policies[choice.tasks[0].model]
    limit = min([policy.batch_limit, *(task.limit for task in group_of(choice.tasks[0], ready) if task.limit)])
    assert len({(task.model, task.batch_key) for task in choice.tasks}) == 1
    assert len(choice.tasks) <= limit
    is_full = len(choice.tasks) == limit
    assert is_full or min(task.ready_since for task in choice.tasks) + policy.hold_ms <= NOW


def group_of(member: Ready, ready: list[Ready]) -> list[Ready]:
    """Everybody of the same model and batch key."""
    return [task for task in ready if (task.model, task.batch_key) == (member.model, member.batch_key)]


@given(ready_sets, policy_sets, firsts)
def test_the_stage_that_goes_first_goes_first_where_nothing_holds(
    ready: list[Ready], policies: Mapping[int, Policy], first: Stage | None
) -> None:
    at_once = {model: Policy(policy.batch_limit, 0, policy.interactive_first) for model, policy in policies.items()}
    choice = choose_step(ready, at_once, NOW, first)
    if first is None or not isinstance(choice, Step):
        return
    rivals = [task for task in ready if rank_of(task, policies) <= rank_of(choice.tasks[0], policies)]
    assert all(rank_of(task, policies) == rank_of(choice.tasks[0], policies) for task in rivals)
    assert choice.tasks[0].stage == first or all(task.stage != first for task in rivals)


@given(ready_sets, policy_sets, firsts)
def test_work_is_conserved_nothing_waits_but_for_a_hold_that_ends(
    ready: list[Ready], policies: Mapping[int, Policy], first: Stage | None
) -> None:
    choice = choose_step(ready, policies, NOW, first)
    if choice is None:
        assert not ready
    elif isinstance(choice, WaitUntil):
        assert choice.time > NOW
        # A little later: the sum of two floats may round down.
        assert isinstance(choose_step(ready, policies, choice.time + 1e-6, first), Step)


@given(ready_sets, policy_sets, firsts, st.randoms())
def test_the_sequence_in_which_states_are_given_does_not_matter(
    ready: list[Ready], policies: Mapping[int, Policy], first: Stage | None, random: Any
) -> None:
    shuffled = list(ready)
    random.shuffle(shuffled)
    assert choose_step(shuffled, policies, NOW, first) == choose_step(ready, policies, NOW, first)
