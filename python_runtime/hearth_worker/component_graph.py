"""In which order the components of a model are loaded. Pure: names and bytes in, an order out.

A component waits for those that it depends on. Of those that wait for nothing the one goes first that begins the
longest path, in bytes: nothing else shortens a load, once there are threads enough.
"""

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter


class CyclicComponents(Exception):  # noqa: N818
    """Components that depend on each other in a circle, named in words."""


class ComponentGraph:
    """Components by name. What a component depends on and is not among them counts as there already."""

    def __init__(self, depends_on: Mapping[str, Collection[str]], size_bytes: Mapping[str, int]) -> None:
        """Raises CyclicComponents."""
        self._depends_on = {
            name: [other for other in needed if other in depends_on] for name, needed in depends_on.items()
        }
        self._path_bytes = _path_bytes(self._in_order(), self._depends_on, size_bytes)

    def walk(self) -> "TopologicalSorter[str]":
        """Gives the components that may be loaded (`get_ready`), and takes those that are (`done`)."""
        walk = TopologicalSorter(self._depends_on)
        walk.prepare()
        return walk

    def path_bytes(self, name: str) -> int:
        """Of the component, and of the heaviest chain of those that wait for it, one for the other."""
        return self._path_bytes[name]

    def _in_order(self) -> list[str]:
        try:
            return list(TopologicalSorter(self._depends_on).static_order())
        except CycleError as error:
            # It names each before the one that waits for it; read backwards, each stands before the one it depends on.
            circle = " -> ".join(reversed(error.args[1]))
            raise CyclicComponents(f"Its components depend on each other in a circle: {circle}.") from error


def _path_bytes(
    order: list[str], depends_on: Mapping[str, Collection[str]], size_bytes: Mapping[str, int]
) -> dict[str, int]:
    """From the ends of the chains to their beginnings."""
    paths = {name: size_bytes[name] for name in order}
    for name in reversed(order):
        for needed in depends_on[name]:
            paths[needed] = max(paths[needed], size_bytes[needed] + paths[name])
    return paths
