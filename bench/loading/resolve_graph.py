"""In which order a model's components are loaded, found out in two ways, in a loop.

    python resolve_graph.py MODEL_FOLDER THREADS

Reads one line of JSON per round, `{"way": "graph" | "search", "repetitions": n}`, and answers with one line,
`{"resolveMs": x}`, the mean. The components are made up: chains of them, listed with the last first.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from time import perf_counter

from hearth_worker.component_graph import ComponentGraph

CHAINS = 8
LENGTH = 8

Needs = Mapping[str, Sequence[str]]


def main() -> None:
    needs = {
        f"{chain}-{place}": [f"{chain}-{place - 1}"] if place else []
        for place in reversed(range(LENGTH))
        for chain in range(CHAINS)
    }
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        resolve = by_graph if asked["way"] == "graph" else by_search
        begun_at = perf_counter()
        for _ in range(asked["repetitions"]):
            assert len(resolve(needs)) == len(needs), "every component has its turn"
        elapsed = perf_counter() - begun_at
        print(json.dumps({"resolveMs": elapsed * 1000 / asked["repetitions"]}), flush=True)


def by_graph(needs: Needs) -> list[str]:
    """As the worker does with one thread: of those that wait for nothing the one with the longest path first."""
    graph = ComponentGraph(needs, dict.fromkeys(needs, 1))
    walk = graph.walk()
    ready: list[tuple[int, str]] = []
    order: list[str] = []
    while walk.is_active():
        for name in walk.get_ready():
            heappush(ready, (-graph.path_bytes(name), name))
        _, name = heappop(ready)
        walk.done(name)
        order.append(name)
    return order


def by_search(needs: Needs) -> list[str]:
    """Each time the first in the list that waits for nothing any more."""
    done: dict[str, None] = {}
    while len(done) < len(needs):
        done[next(name for name in needs if name not in done and done.keys() >= set(needs[name]))] = None
    return list(done)


if __name__ == "__main__":
    main()
