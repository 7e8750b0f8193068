"""A picture that a request is about: its bytes, or where they lie."""

from msgspec import Struct

from hearth_worker.failures import InvalidRequest
from hearth_worker.programs.files import InputFile


class InlineImage(Struct, frozen=True):
    """A picture that came with the request."""

    data: bytes

    def read(self) -> bytes:
        """All of it."""
        return self.data


class ImageReference(Struct, rename="camel", frozen=True):
    """Exactly one of them."""

    data: bytes | None = None
    path: str | None = None

    def source(self) -> InlineImage | InputFile:
        """What to read. Raises InvalidRequest."""
        if self.data is not None and self.path is None:
            return InlineImage(self.data)
        if self.path is not None and self.data is None:
            return InputFile(self.path)
        raise InvalidRequest("`image` needs either data or a path.")
