"""Finds an installed engine."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import cast

from hearth_worker.engines.engine import Engine, EngineSettings

GROUP = "hearth.engines"


def find_engine(name: str) -> Callable[[EngineSettings], Engine]:
    """Raises LookupError when no such engine is installed."""
    found = entry_points(group=GROUP, name=name)
    for entry_point in found:
        return cast("Callable[[EngineSettings], Engine]", entry_point.load())
    known = ", ".join(sorted(entry_point.name for entry_point in entry_points(group=GROUP))) or "none"
    raise LookupError(f"No engine {name!r} is installed; there are {known}.")
