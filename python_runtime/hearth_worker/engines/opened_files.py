"""Files that stay open as long as what was made of them is used, and whether they are still what they were."""

import os
from collections.abc import Sequence
from pathlib import Path

# Size and time of the last change of content.
Content = tuple[int, int]


class OpenedFiles:
    """Keeps a descriptor of each file: replaced by rename, the opened one lives on and counts as unchanged."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Raises OSError."""
        self._descriptors: list[int] = []
        try:
            for path in paths:
                self._descriptors.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            self.close()
            raise
        self._contents = [_content(descriptor) for descriptor in self._descriptors]

    def are_unchanged(self) -> bool:
        """A few microseconds for each file."""
        return [_content(descriptor) for descriptor in self._descriptors] == self._contents

    def close(self) -> None:
        """May be called more than once."""
        while self._descriptors:
            os.close(self._descriptors.pop())


def _content(descriptor: int) -> Content:
    status = os.fstat(descriptor)
    return status.st_size, status.st_mtime_ns
