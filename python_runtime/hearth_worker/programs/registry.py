"""Finds the programs that are installed for an engine."""

import logging
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any

from hearth_worker.engines.engine import LoadedModel
from hearth_worker.programs.program import Program

GROUP = "hearth.programs"

AnyProgram = Program[Any, Any, Any]
ProgramFactory = Callable[[LoadedModel, Sequence[str]], AnyProgram]

logger = logging.getLogger(__name__)


def find_programs(engine: str) -> dict[str, ProgramFactory]:
    """Every installed program that runs on this engine, by name. One that cannot be imported is logged and left out."""
    programs: dict[str, ProgramFactory] = {}
    for entry_point in entry_points(group=GROUP):
        try:
            program = entry_point.load()
        except Exception:
            logger.exception("The program %s (%s) cannot be imported.", entry_point.name, entry_point.value)
            continue
        if program.engine in (None, engine):
            programs[entry_point.name] = program
    return dict(sorted(programs.items()))
