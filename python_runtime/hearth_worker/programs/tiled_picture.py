"""A picture that is made larger tile by tile: what is given, and what there is of the result."""

from collections.abc import Callable, Mapping

import numpy as np
from msgspec import Struct

from hearth_worker.engines.onnx_values import Array
from hearth_worker.failures import InvalidRequest
from hearth_worker.programs.encode_picture import SIDE_MAX, PictureFormat
from hearth_worker.programs.picture_files import decode
from hearth_worker.programs.pixels import from_pixels, to_pixels
from hearth_worker.programs.tiles import Tile, tiles_of

# Pixels of the given picture along a side. What a run takes grows with it, and so does the time until others may run;
# what is computed twice shrinks.
TILE_SIDE = 128

RunUpscaler = Callable[[Mapping[str, Array]], Array]


class TiledPicture(Struct, frozen=True):
    """`given` and `result` are uint8 [height, width, 3]; the result is `factor` times as large."""

    given: Array
    result: Array
    factor: int
    tiles: list[Tile]

    @property
    def memory_bytes(self) -> int:
        """Of both."""
        return self.given.nbytes + self.result.nbytes


def read(data: bytes, factor: int, reach: int, pixels_max: int, kind: PictureFormat) -> TiledPicture:
    """Room for the result of a file's picture. `reach`: so many pixels around a tile count for its result.

    Raises InvalidRequest for what is no picture, or too large to be read or to be written as `kind`.
    """
    given = np.asarray(decode(data, pixels_max))
    height, width = given.shape[:2]
    side_max = SIDE_MAX[kind] // factor
    if max(height, width) > side_max:
        raise InvalidRequest(f"The picture is {width} x {height}; for {kind} no side may be over {side_max}. Use PNG.")
    result = np.empty((height * factor, width * factor, 3), np.uint8)
    return TiledPicture(given, result, factor, tiles_of(height, width, TILE_SIDE, reach))


def compute_tile(picture: TiledPicture, number: int, runs: int, run_upscaler: RunUpscaler) -> None:
    """Fills tile `number` of the result; `runs` runs one after the other make it `factor` times as large."""
    tile, factor = picture.tiles[number], picture.factor
    computed = from_pixels(picture.given[tile.around_top : tile.around_bottom, tile.around_left : tile.around_right])
    for _ in range(runs):
        computed = run_upscaler({"picture": computed})
    top, left = (tile.top - tile.around_top) * factor, (tile.left - tile.around_left) * factor
    height, width = (tile.bottom - tile.top) * factor, (tile.right - tile.left) * factor
    wanted = to_pixels(computed[0, :, top : top + height, left : left + width])
    picture.result[tile.top * factor : tile.bottom * factor, tile.left * factor : tile.right * factor] = wanted
