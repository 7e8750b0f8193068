"""A picture from anybody, larger: read in the first step, then a tile in each, written as a file in the last."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from msgspec import Struct, ValidationError, convert
from msgspec.structs import replace

from hearth_worker.engines.manifest import Manifest
from hearth_worker.failures import ArtifactMissing, InvalidRequest, LoadFailed
from hearth_worker.programs.files import InputFile
from hearth_worker.programs.image_model_options import read_image_options
from hearth_worker.programs.image_reference import ImageReference, InlineImage
from hearth_worker.programs.interruptible_runs import InterruptibleRuns
from hearth_worker.programs.outcomes import Advanced, Done, Failed, Progress
from hearth_worker.programs.program import Program, Promise
from hearth_worker.programs.upscale_runs import reach_of, runs_needed
from hearth_worker.programs.write_picture import PictureMetadata, WritePictureRequest, WrittenPicture
from hearth_worker.protocol.numbers import PositiveCount

if TYPE_CHECKING:
    from hearth_worker.engines.onnx import OnnxModel
    from hearth_worker.programs.tiled_picture import TiledPicture


class UpscaleLimits(Struct, rename="camel", frozen=True):
    """Of a result: pixels, and of its memory three bytes each."""

    max_result_pixels: PositiveCount = 16_777_216


class UpscaleImageRequest(Struct, frozen=True):
    """How many times as wide and high."""

    image: ImageReference
    factor: PositiveCount
    format: Literal["png", "webp"]
    metadata: PictureMetadata = PictureMetadata()


class UpscaleImageState(Struct, frozen=True):
    """`tiled` is None until the picture has been read; successive states share it, and what lies beyond `done` tiles
    counts for nothing yet."""

    request: UpscaleImageRequest
    image: InlineImage | InputFile
    runs: int
    tiled: "TiledPicture | None" = None
    done: int = 0


Outcome = Advanced[UpscaleImageState] | Done[WrittenPicture] | Failed


class UpscaleImage(Program[UpscaleImageRequest, UpscaleImageState, WrittenPicture]):
    """For graphs that take `picture` and give `picture_large`."""

    promise: ClassVar[Promise] = "bitwise"
    engine: ClassVar[str | None] = "onnx"
    request_type: ClassVar[type] = UpscaleImageRequest
    interruptible: ClassVar[bool] = True

    def __init__(self, model: "OnnxModel", components: Sequence[str]) -> None:
        """Raises LoadFailed where manifest or graph are others."""
        # Here, not above: workers of other engines read this file too, and need neither numpy nor Pillow.
        from hearth_worker.programs import tiled_picture, write_file
        from hearth_worker.programs.graph_ports import fitting_component

        self._tiled = tiled_picture
        self._write = write_file.written
        self._upscaler = fitting_component(model, components, {"picture": 4}, {"picture_large": 4})
        self._options = read_image_options(model.manifest).upscale
        self._limits = _limits(model.manifest)
        self._runs = InterruptibleRuns()

    def start(self, request: UpscaleImageRequest) -> UpscaleImageState:
        runs = runs_needed(request.factor, self._options.run_factor)
        return UpscaleImageState(request, request.image.source(), runs)

    def batch_key(self, state: UpscaleImageState) -> Hashable:
        """Unlike any other: a run lasts as long as its tiles one after the other."""
        return id(state)

    def step(self, states: Sequence[UpscaleImageState]) -> list[Outcome]:
        return [self._one_step(state) for state in states]

    def interrupt(self) -> None:
        self._runs.interrupt()

    def clear_interrupt(self) -> None:
        self._runs.clear()

    def state_bytes(self, state: UpscaleImageState) -> int:
        return state.tiled.memory_bytes if state.tiled else 0

    def _one_step(self, state: UpscaleImageState) -> Outcome:
        if state.tiled is None:
            return self._read(state)
        tiles = len(state.tiled.tiles)
        if state.done < tiles:
            self._tiled.compute_tile(state.tiled, state.done, state.runs, self._run)
            return Advanced(replace(state, done=state.done + 1), Progress(state.done + 1, tiles + 1, "steps"))
        file = WritePictureRequest(state.request.format, state.request.metadata)
        return Done(self._write(state.tiled.result, file), Progress(tiles + 1, tiles + 1, "steps"))

    def _read(self, state: UpscaleImageState) -> Advanced[UpscaleImageState] | Failed:
        request = state.request
        pixels_max = self._limits.max_result_pixels // request.factor**2
        reach = reach_of(state.runs, self._options.run_factor, self._options.overlap)
        try:
            tiled = self._tiled.read(state.image.read(), request.factor, reach, pixels_max, request.format)
        except InvalidRequest as error:
            return Failed("invalid_request", str(error))
        except ArtifactMissing as error:
            return Failed("artifact_missing", str(error))
        return Advanced(replace(state, tiled=tiled), Progress(0, len(tiled.tiles) + 1, "steps"))

    def _run(self, inputs: Mapping[str, Any]) -> Any:
        return self._runs.run(self._upscaler, inputs, ["picture_large"])[0]


def _limits(manifest: Manifest) -> UpscaleLimits:
    try:
        return convert(manifest.limits, UpscaleLimits)
    except ValidationError as error:
        raise LoadFailed(f"The limits of model {manifest.name!r} cannot be read: {error}.") from error
