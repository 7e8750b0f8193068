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
    """Every installed program that runs on this engine, by name. One that cannot be used is logged and left out."""
    programs: dict[str, ProgramFactory] = {}
    for entry_point in entry_points(group=GROUP):
        try:
            program = entry_point.load()
            runs_here = getattr(program, "engine", None) in (None, engine)
            check_program(program)
        except Exception:
            logger.exception("The program %s (%s) cannot be used.", entry_point.name, entry_point.value)
            continue
        if not runs_here:
            continue
        if entry_point.name in programs:
            logger.error("There is another program %s (%s); it is left out.", entry_point.name, entry_point.value)
            continue
        programs[entry_point.name] = program
    return dict(sorted(programs.items()))


def check_program(program: object) -> None:
    """Raises TypeError for what cannot be a program."""
    if not callable(program):
        raise TypeError("it cannot be called with a model and its components")
    for attribute in ("promise", "request_type"):
        if not hasattr(program, attribute):
            raise TypeError(f"it says nothing of its {attribute}")
