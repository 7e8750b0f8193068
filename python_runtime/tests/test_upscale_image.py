"""upscale_image: tile by tile to the very bytes of the whole, within bounds, and files that are no pictures."""

from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from hearth_worker.engines.engine import EngineSettings
from hearth_worker.engines.manifest import Manifest
from hearth_worker.engines.onnx import OnnxEngine, OnnxModel
from hearth_worker.failures import InvalidRequest
from hearth_worker.programs.image_reference import ImageReference
from hearth_worker.programs.outcomes import Advanced, Done, Failed, Progress
from hearth_worker.programs.pixels import from_pixels, to_pixels
from hearth_worker.programs.tiled_picture import TILE_SIDE
from hearth_worker.programs.tiles import tiles_of
from hearth_worker.programs.upscale_image import UpscaleImage, UpscaleImageRequest
from tests.support.ember import bytes_of, end_all, open_ember, run_alone, run_to_end
from tests.support.pictures import encoded, pixels
from tests.support.requests import MODELS, load_meta


@pytest.fixture(scope="module")
def program() -> UpscaleImage:
    return UpscaleImage(open_ember(), ["upscaler"])


def request_of(data: bytes, factor: int = 2, kind: Any = "png") -> UpscaleImageRequest:
    return UpscaleImageRequest(ImageReference(data), factor, kind)


def large(width: int, height: int) -> bytes:
    return encoded(Image.fromarray(pixels(width, height, 3)))


def shown(output: Any) -> Any:
    return np.asarray(Image.open(BytesIO(bytes_of(output, "picture"))))


def whole(data: Any, runs: int) -> Any:
    """Without tiles."""
    values = from_pixels(data)
    for _ in range(runs):
        values = open_ember().components["upscaler"].run({"picture": values})[0]
    return to_pixels(values[0])


@pytest.mark.parametrize(("width", "height", "factor"), [(300, 150, 2), (150, 135, 4), (1, 1, 2), (TILE_SIDE, 3, 2)])
def test_tiles_give_the_bytes_of_the_whole(program: UpscaleImage, width: int, height: int, factor: int) -> None:
    output = run_alone(program, request_of(large(width, height), factor=factor))
    assert (output.width, output.height, output.mime_type) == (width * factor, height * factor, "image/png")
    assert np.array_equal(shown(output), whole(pixels(width, height, 3), factor // 2))


def test_every_tile_is_a_step_after_reading_and_before_writing(program: UpscaleImage) -> None:
    state = program.start(request_of(large(300, 150)))
    assert program.state_bytes(state) == 0
    seen = []
    while isinstance(outcome := program.step([state])[0], Advanced):
        seen.append(outcome.progress)
        state = outcome.state
        assert program.state_bytes(state) == 300 * 150 * 3 * 5
    assert isinstance(outcome, Done)
    assert [*seen, outcome.progress] == [Progress(done, 7, "steps") for done in range(8)]


def test_requests_that_share_steps_and_repeated_steps_change_nothing(program: UpscaleImage) -> None:
    states = [program.start(request_of(large(width, 140))) for width in (140, 60)]
    assert program.batch_key(states[0]) != program.batch_key(states[1])
    alone = [bytes_of(run_to_end(program, state), "picture") for state in states]
    assert [bytes_of(output, "picture") for output in end_all(program, states)] == alone
    reading = program.step(states[:1])[0]
    assert isinstance(reading, Advanced)
    program.step([reading.state])
    assert bytes_of(run_to_end(program, reading.state), "picture") == alone[0]


def test_a_file_is_read_from_its_path_and_may_be_gone(program: UpscaleImage, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(large(20, 10))
    request = UpscaleImageRequest(ImageReference(path=str(path)), 2, "webp")
    assert (run_alone(program, request).width, run_alone(program, request).mime_type) == (40, "image/webp")
    path.unlink()
    outcome = program.step([program.start(request)])[0]
    assert isinstance(outcome, Failed)
    assert outcome.code == "artifact_missing"


def test_what_is_no_picture_or_too_large_is_refused_before_any_room_is_taken(program: UpscaleImage) -> None:
    wide = encoded(Image.new("L", (9000, 1)))
    for request, words in (
        (request_of(b"no picture"), "no picture"),
        (request_of(large(90, 90)[:2000]), "broken or cut off"),
        (request_of(encoded(Image.new("L", (2049, 2048)))), "more than 4194304"),
        (request_of(encoded(Image.new("L", (1025, 1024))), factor=4), "more than 1048576"),
        (request_of(wide, kind="webp"), "no side may be over 8191"),
    ):
        outcome = program.step([program.start(request)])[0]
        assert isinstance(outcome, Failed), words
        assert (outcome.code, words in outcome.message) == ("invalid_request", True), outcome.message
    assert isinstance(program.step([program.start(request_of(wide))])[0], Advanced)
    with pytest.raises(InvalidRequest, match="2 times larger"):
        program.start(request_of(b"", factor=3))
    with pytest.raises(InvalidRequest, match="either data or a path"):
        program.start(UpscaleImageRequest(ImageReference(), 2, "png"))


def test_tiles_cover_a_picture_once_and_see_what_is_around_them() -> None:
    covered = np.zeros((25, 31), int)
    for tile in tiles_of(25, 31, 10, 4):
        covered[tile.top : tile.bottom, tile.left : tile.right] += 1
        assert tile.around_top == max(tile.top - 4, 0)
        assert tile.around_right == min(tile.right + 4, 31)
    assert (covered == 1).all()
    assert len(tiles_of(10, 10, 10, 4)) == 1


def test_the_upscaler_is_a_model_of_its_own_too() -> None:
    """models/ember-upscaler has the same component, under its own manifest."""
    meta = load_meta(MODELS / "ember-upscaler", 1)
    manifest = msgspec.convert(meta["manifest"], Manifest)
    engine = OnnxEngine(EngineSettings(threads=1, wake=lambda: None))
    model: OnnxModel = engine.load(manifest, MODELS / "ember-upscaler", ["upscaler"])
    output = run_alone(UpscaleImage(model, ["upscaler"]), request_of(large(20, 10)))
    assert (output.width, output.height) == (40, 20)
    model.close()
