"""In which order components are loaded."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_worker.component_graph import ComponentGraph, CyclicComponents

# Of the starter image model, in megabytes.
EMBER = {"text_encoder": 2, "unet": 21, "vae_decoder": 1, "preview_decoder": 0, "safety_checker": 23}


def test_components_that_depend_on_nothing_are_ready_at_once() -> None:
    graph = ComponentGraph({name: [] for name in EMBER}, EMBER)
    assert levels(graph) == [{*EMBER}]
    assert {name: graph.path_bytes(name) for name in EMBER} == EMBER
    assert levels(ComponentGraph({}, {})) == []


def test_a_small_one_that_a_large_one_waits_for_goes_before_a_middling_one() -> None:
    graph = ComponentGraph({"small": [], "large": ["small"], "middling": []}, {"small": 1, "large": 9, "middling": 5})
    assert [graph.path_bytes(name) for name in ("small", "middling", "large")] == [10, 5, 9]
    assert levels(graph) == [{"small", "middling"}, {"large"}]


def test_the_heavier_of_two_ways_counts() -> None:
    depends_on = {"root": [], "light": ["root"], "heavy": ["root"], "end": ["light", "heavy"]}
    graph = ComponentGraph(depends_on, {"root": 1, "light": 2, "heavy": 5, "end": 3})
    assert [graph.path_bytes(name) for name in depends_on] == [9, 5, 8, 3]
    assert levels(graph) == [{"root"}, {"heavy", "light"}, {"end"}]


def test_what_is_not_among_them_counts_as_there() -> None:
    assert levels(ComponentGraph({"unet": ["text_encoder"]}, {"unet": 1})) == [{"unet"}]


@pytest.mark.parametrize(
    ("depends_on", "circle"),
    [
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, ["a", "b", "c", "a"]),
    ],
)
def test_a_circle_is_named_from_what_depends_to_what_it_depends_on(
    depends_on: Mapping[str, list[str]], circle: list[str]
) -> None:
    with pytest.raises(CyclicComponents) as raised:
        ComponentGraph(depends_on, dict.fromkeys(depends_on, 1))
    named = re.findall(r"\w+(?= ->|\.$)", str(raised.value))
    start = named.index("a") if named[0] != "a" else 0
    # It may be entered anywhere.
    assert named[start:-1] + named[:start] == circle[:-1]
    assert named[0] == named[-1]


@given(st.data())
def test_any_graph_is_walked_in_order_and_its_paths_are_as_heavy_as_the_heaviest_way(data: st.DataObject) -> None:
    names = [f"c{number}" for number in range(data.draw(st.integers(1, 8)))]
    # Only upon earlier ones, so that there is no circle; given in any order.
    depends_on = {
        name: data.draw(st.lists(st.sampled_from(names[:index]), unique=True) if index else st.just([]))
        for index, name in enumerate(names)
    }
    shuffled = {name: depends_on[name] for name in data.draw(st.permutations(names))}
    sizes = {name: data.draw(st.integers(0, 100)) for name in names}
    graph = ComponentGraph(shuffled, sizes)
    seen: set[str] = set()
    for level in levels(graph):
        assert all(set(depends_on[name]) <= seen for name in level)
        seen |= set(level)
    assert seen == set(names)
    for name in names:
        waiting = [other for other in names if name in depends_on[other]]
        heaviest = max((graph.path_bytes(other) for other in waiting), default=0)
        assert graph.path_bytes(name) == sizes[name] + heaviest


def levels(graph: ComponentGraph) -> list[set[str]]:
    """Those of a level become ready together, when all of the level before are loaded."""
    found: list[set[str]] = []
    walk = graph.walk()
    while walk.is_active():
        found.append(set(walk.get_ready()))
        walk.done(*found[-1])
    return found
