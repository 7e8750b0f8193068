"""Input artifacts of a task: files that the server names by their path."""

from msgspec import Struct

from hearth_worker.failures import ArtifactMissing
from hearth_worker.protocol.numbers import Count


class InputFile(Struct, rename="camel", frozen=True):
    """An artifact that came with a request. The file is to be read only, and may be gone."""

    path: str
    mime_type: str = ""
    size_bytes: Count = 0

    def read(self) -> bytes:
        """All of it. Raises ArtifactMissing."""
        try:
            # By this name a third party reads what it was given, without having to know how it can be missing.
            with open(self.path, "rb") as file:  # noqa: PTH123
                return file.read()
        except FileNotFoundError as error:
            raise missing(self.path) from error


def missing(path: str) -> ArtifactMissing:
    """What is told of a file that is not there."""
    return ArtifactMissing(f"The input file {path} no longer exists. Upload it again.")
