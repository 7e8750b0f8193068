"""The files of a loaded model, and whether they are still what the server verified (PROTOCOL.md section 10).

Each stays open: a file that is replaced by rename, or removed, lives on for who has it open and counts as unchanged.
What is written into it shows in its size or its times, because the kernel sets them before the first byte changes.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from hearth_worker.failures import StaleModel, words_of
from hearth_worker.protocol.requests import VerifiedFile


class ModelFiles:
    """Of one loaded model. What has once been found changed stays so."""

    def __init__(self, files: Sequence[VerifiedFile]) -> None:
        """Raises StaleModel for files that are not those that were verified."""
        self._files: list[_OpenFile] = []
        self._change: str | None = None
        try:
            for file in files:
                self._files.append(_OpenFile(file))
            self.expect_as_verified()
        except BaseException:
            self.close()
            raise

    def expect_as_verified(self) -> None:
        """For what reads files by their names: these lie in their places, and nothing of them has changed.

        Raises StaleModel.
        """
        for file in self._files:
            if not file.is_as_verified():
                raise StaleModel(f"{file.path} has changed since it was verified.")

    def change(self) -> str | None:
        """What has happened to them, in words; None as long as nothing has. One system call for each file."""
        if self._change is None:
            for file in self._files:
                if file.has_changed():
                    self._change = f"{file.path} was changed while the model was loaded."
                    break
        return self._change

    def close(self) -> None:
        """May be called more than once."""
        while self._files:
            self._files.pop().close()


class _OpenFile:
    """One of them."""

    def __init__(self, verified: VerifiedFile) -> None:
        self.path = verified.path
        self._verified = verified
        try:
            self._descriptor = os.open(verified.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise StaleModel(f"A file that was verified cannot be opened any more: {words_of(error)}.") from error
        status = os.fstat(self._descriptor)
        self._content = (status.st_size, status.st_mtime_ns)
        self._changed_ns = status.st_ctime_ns

    def is_as_verified(self) -> bool:
        # Renaming a file away and back, with another in its place meanwhile, changes its ctime as well.
        return _identity(os.fstat(self._descriptor), self.path) == self._verified and self._is_in_its_place()

    def has_changed(self) -> bool:
        status = os.fstat(self._descriptor)
        if (status.st_size, status.st_mtime_ns) != self._content:
            return True
        if status.st_ctime_ns == self._changed_ns:
            return False
        # Losing its name changes the ctime too; that does no harm to who has it open.
        if self._is_in_its_place():
            return True
        self._changed_ns = status.st_ctime_ns
        return False

    def close(self) -> None:
        os.close(self._descriptor)

    def _is_in_its_place(self) -> bool:
        try:
            there = Path(self.path).stat()
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._descriptor))


def _identity(status: os.stat_result, path: str) -> VerifiedFile:
    return VerifiedFile(
        path=path,
        device=str(status.st_dev),
        inode=str(status.st_ino),
        size_bytes=status.st_size,
        modified_ns=str(status.st_mtime_ns),
        changed_ns=str(status.st_ctime_ns),
    )
