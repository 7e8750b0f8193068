"""A finished picture as a file, with how it was made written into it."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from msgspec import Struct

from hearth_worker.engines.engine import LoadedModel
from hearth_worker.programs import hand_over
from hearth_worker.programs.outcomes import Done
from hearth_worker.programs.program import Program, Promise
from hearth_worker.protocol.tensors import Tensor

if TYPE_CHECKING:
    from hearth_worker.engines.onnx_values import Array


class PictureMetadata(Struct, rename="camel", frozen=True):
    """How a picture was made. What is None is not written."""

    prompt: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None
    model: str | None = None
    version: str | None = None
    software: str | None = None


class WritePictureRequest(Struct, frozen=True):
    """As what to write it."""

    format: Literal["png", "webp"]
    metadata: PictureMetadata = PictureMetadata()


class WritePictureState(Struct, frozen=True):
    """float32 [3, height, width] of -1 to 1."""

    request: WritePictureRequest
    picture: "Array"


class WrittenPicture(Struct, rename="camel", frozen=True):
    """`picture` is uint8 [n]: the bytes of the file. Width and height in pixels."""

    picture: Tensor
    mime_type: str
    width: int
    height: int


class WritePicture(Program[WritePictureRequest, WritePictureState, WrittenPicture]):
    """Needs no component. Follows tasks that give `picture`, the last of which is written."""

    promise: ClassVar[Promise] = "bitwise"
    engine: ClassVar[str | None] = "onnx"
    request_type: ClassVar[type] = WritePictureRequest

    def __init__(self, model: LoadedModel, components: Sequence[str]) -> None:  # noqa: ARG002
        # Here, not above: workers of other engines read this file too, and need neither numpy nor Pillow.
        from hearth_worker.programs import pixels, write_file

        self._pixels = pixels
        self._write = write_file.written

    def start(self, request: WritePictureRequest) -> WritePictureState:
        return self.start_after(request, {})

    def start_after(self, request: WritePictureRequest, inputs: Mapping[str, object]) -> WritePictureState:
        return WritePictureState(request, hand_over.taken(inputs, "picture"))

    def batch_key(self, state: WritePictureState) -> Hashable:
        """Unlike any other: nothing is gained by company."""
        return id(state)

    def step(self, states: Sequence[WritePictureState]) -> list[Done[WrittenPicture]]:
        return [Done(self._write(self._pixels.to_pixels(state.picture), state.request)) for state in states]
