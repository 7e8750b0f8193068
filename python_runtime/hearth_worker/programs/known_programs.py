"""Every program that this worker can run: those that are installed, and those in folders that the server names."""

import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hearth_worker.programs.program_file import FILE_NAME, BrokenProgram, ProgramFile
from hearth_worker.programs.registry import ProgramFactory, check_program, find_programs

logger = logging.getLogger(__name__)


class KnownPrograms(Mapping[str, ProgramFactory]):
    """By name. With `reload`, asking for one imports its file again if that has changed: whoever asks next gets the new
    program, and what was made of the old one goes on with it."""

    def __init__(self, engine: str, paths: Sequence[str] = (), *, reload: bool = False) -> None:
        """`paths` are folders whose sub-folders hold a program.py. One that cannot be used is logged and left out."""
        self._engine = engine
        self._reload = reload
        self._installed = find_programs(engine)
        self._files = _find_files(paths)
        self._of_files: list[dict[str, ProgramFactory]] = [{} for _ in self._files]
        self._failures: dict[int, BrokenProgram] = {}
        # Bytecode of modules beside a program would count as current for a whole second.
        sys.dont_write_bytecode = sys.dont_write_bytecode or reload
        self._import([*range(len(self._files))])

    def __getitem__(self, name: str) -> ProgramFactory:
        """Raises KeyError, and BrokenProgram where the last version of a file that might have it cannot be used."""
        if self._reload:
            self._import([number for number, file in enumerate(self._files) if file.has_changed()])
        for number, programs in enumerate(self._of_files):
            if name in programs and number in self._failures:
                raise self._failures[number]
        known = self._all()
        if name not in known and self._failures:
            raise next(iter(self._failures.values()))
        return known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._all()))

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, ProgramFactory]:
        """The first of a name stays; installed ones are first."""
        known = dict(self._installed)
        for programs in self._of_files:
            known = programs | known
        return known

    def _import(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            file = self._files[number]
            try:
                programs = self._usable(file, file.programs())
            except BrokenProgram as error:
                # What it had before is remembered, so that asking for it tells of this.
                logger.error("%s", error)  # noqa: TRY400  (its own words say where)
                self._failures[number] = error
                continue
            self._failures.pop(number, None)
            taken = {name for other, each in enumerate(self._of_files) if other != number for name in each}
            for name in {*self._installed, *taken} & set(programs):
                logger.error("There is another program %s; that of %s is left out.", name, file.path)
            self._of_files[number] = {name: each for name, each in programs.items() if name not in taken}

    def _usable(self, file: ProgramFile, programs: Mapping[str, ProgramFactory]) -> dict[str, ProgramFactory]:
        for name, program in programs.items():
            try:
                check_program(program)
            except TypeError as error:
                raise BrokenProgram(f"The program {name} of {file.path} cannot be used: {error}") from error
        engines = {name: getattr(program, "engine", None) for name, program in programs.items()}
        return {name: program for name, program in programs.items() if engines[name] in (None, self._engine)}


def _find_files(paths: Sequence[str]) -> list[ProgramFile]:
    found = []
    for path in paths:
        files = sorted(Path(path).glob(f"*/{FILE_NAME}"))
        if not files:
            hint = " Name the folder above it." if (Path(path) / FILE_NAME).is_file() else ""
            logger.error("No folder in %s holds a %s.%s", path, FILE_NAME, hint)
        found += files
    return [ProgramFile(path, _module_name(number, path)) for number, path in enumerate(found)]


def _module_name(number: int, path: Path) -> str:
    """Unlike any that is installed, and readable in a traceback."""
    return f"hearth_program_{number}_{re.sub(r'[^0-9a-zA-Z_]', '_', path.parent.name)}"
