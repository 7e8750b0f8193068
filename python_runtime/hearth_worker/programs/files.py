"""Files that a task is given and that it gives: artifacts of a job."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from hearth_worker.failures import ArtifactMissing
from hearth_worker.protocol.numbers import Count
from hearth_worker.protocol.tensors import Tensor


class InputFile(Struct, rename="camel", frozen=True):
    """An artifact that came with a request. The file is to be read only, and may be gone."""

    path: str
    mime_type: str = ""
    size_bytes: Count = 0

    def read(self) -> bytes:
        """All of it. Raises ArtifactMissing."""
        try:
            return Path(self.path).read_bytes()
        except FileNotFoundError as error:
            raise missing(self.path) from error


class OutputFile(Struct, rename="camel", frozen=True):
    """An artifact that a task gives; `data` is a tensor of bytes, at most 1 GiB."""

    mime_type: str
    data: Tensor

    @classmethod
    def of(cls, mime_type: str, data: bytes) -> "OutputFile":
        """A file of these bytes, such as `image/png`."""
        return cls(mime_type, Tensor("uint8", [len(data)], data))


class ProgramOutput(Struct, frozen=True):
    """What a task of kind `program` gives: values of JSON's kinds, and files."""

    values: Any
    artifacts: Sequence[OutputFile] = ()


def missing(path: str) -> ArtifactMissing:
    """What is told of a file that is not there."""
    return ArtifactMissing(f"The input file {path} no longer exists. Upload it again.")
