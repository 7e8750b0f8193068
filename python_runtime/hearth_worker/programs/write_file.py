"""Pixels to the output that is a file."""

from msgspec import to_builtins

from hearth_worker.engines.onnx_values import Array
from hearth_worker.programs.encode_picture import MIME_TYPES, encode_picture
from hearth_worker.programs.write_picture import WritePictureRequest, WrittenPicture
from hearth_worker.protocol.tensors import Tensor


def written(pixels: Array, request: WritePictureRequest) -> WrittenPicture:
    """`pixels` is uint8 [height, width, 3]."""
    data = encode_picture(pixels, request.format, to_builtins(request.metadata))
    height, width = pixels.shape[:2]
    return WrittenPicture(Tensor("uint8", [len(data)], data), MIME_TYPES[request.format], width, height)
