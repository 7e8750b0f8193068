"""A program's source in a folder of its own: imported, and imported again when it has changed."""

import re
import sys
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

FILE_NAME = "program.py"
PROGRAM_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

# Of every source file: its path, size and time of change.
Stamp = tuple[tuple[str, int, int], ...]


class BrokenProgram(Exception):  # noqa: N818
    """A program's file cannot be used, in words for the person who writes it."""


class ProgramFile:
    """`program.py` of one folder; modules beside it are imported relatively: `from .words import count`."""

    def __init__(self, path: Path, module_name: str) -> None:
        self.path = path
        self._module_name = module_name
        self._stamp: Stamp | None = None

    def has_changed(self) -> bool:
        """Whether any source file of the folder is another one than at the last import."""
        return self._stamp != _stamp_of(self.path.parent)

    def programs(self) -> Mapping[str, Any]:
        """What the module calls PROGRAMS, imported now. Raises BrokenProgram."""
        # Before the import: what is written meanwhile counts as a change afterwards.
        self._stamp = _stamp_of(self.path.parent)
        programs = getattr(self._import(), "PROGRAMS", None)
        if not isinstance(programs, dict) or not programs:
            raise BrokenProgram(f'{self.path} has no PROGRAMS: write PROGRAMS = {{"name": ProgramClass}}.')
        for name in programs:
            if not isinstance(name, str) or not PROGRAM_NAME.fullmatch(name):
                raise BrokenProgram(f"{self.path} names a program {name!r}; names match {PROGRAM_NAME.pattern}.")
        return programs

    def _import(self) -> ModuleType:
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{self._module_name}.")]:
            del sys.modules[name]
        loader = _FreshSource(self._module_name, str(self.path))
        folder = [str(self.path.parent)]
        spec = spec_from_file_location(self._module_name, self.path, loader=loader, submodule_search_locations=folder)
        assert spec is not None, "a loader was given"
        module = module_from_spec(spec)
        # As `import` does it: types named in annotations are looked up there.
        sys.modules[self._module_name] = module
        try:
            loader.exec_module(module)
        except (Exception, SystemExit) as error:
            del sys.modules[self._module_name]
            place = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
            raise BrokenProgram(f"{self.path}{place} cannot be imported: {type(error).__name__}: {error}") from error
        return module


class _FreshSource(SourceFileLoader):
    """Compiles the source always: bytecode kept beside it counts as current for a whole second."""

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Without these there is no bytecode (importlib's documented way)."""
        raise OSError(f"bytecode of {path} is not used")


def _stamp_of(folder: Path) -> Stamp:
    stamps = []
    for path in sorted(folder.rglob("*.py")):
        try:
            status = path.stat()
        except OSError:
            continue  # Gone between the two looks: the next one tells.
        stamps.append((str(path), status.st_size, status.st_mtime_ns))
    return tuple(stamps)
