"""Pictures as files that say how they were made: PNG with text chunks, WebP with an XMP packet. Same picture and words,
same bytes."""

from collections.abc import Mapping
from io import BytesIO
from typing import Literal
from unicodedata import category
from xml.sax.saxutils import quoteattr

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from hearth_worker.engines.onnx_values import Array

PictureFormat = Literal["png", "webp"]
# What is told of a picture, by name; None is left out.
Metadata = Mapping[str, str | int | float | None]

MIME_TYPES: dict[PictureFormat, str] = {"png": "image/png", "webp": "image/webp"}
# Pixels along a side that a file can have; of PNG what a graph can still hold.
SIDE_MAX: dict[PictureFormat, int] = {"png": 2**20, "webp": 16383}
# libwebp: 0 to 100; effort 0 to 6.
WEBP_QUALITY = 90
PREVIEW_QUALITY = 80
PREVIEW_EFFORT = 2
# The names that PNG's specification has for what it knows; others stand as they are.
PNG_KEYWORDS = {"software": "Software"}
XMP_NAMESPACE = "urn:hearth:picture:"
# Written plainly in an attribute of XML, they would be read as blanks.
NEW_LINES = {"\n": "&#10;", "\t": "&#9;"}


def encode_picture(pixels: Array, kind: PictureFormat, metadata: Metadata) -> bytes:
    """`pixels` is uint8 [height, width, 3]. Names of metadata are words of letters and digits."""
    told = {name: _storable(str(value)) for name, value in metadata.items() if value is not None}
    if kind == "png":
        return _saved(pixels, "PNG", pnginfo=_text_chunks(told))
    return _saved(pixels, "WEBP", quality=WEBP_QUALITY, xmp=_xmp_packet(told))


def encode_preview(pixels: Array) -> bytes:
    """WebP: of pictures that are not done an eighth of PNG's size, and as quick to make."""
    return _saved(pixels, "WEBP", quality=PREVIEW_QUALITY, method=PREVIEW_EFFORT)


def _saved(pixels: Array, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def _text_chunks(told: Mapping[str, str]) -> PngInfo:
    """tEXt where Latin-1 can say it, else iTXt."""
    chunks = PngInfo()
    for name, text in told.items():
        chunks.add_text(PNG_KEYWORDS.get(name, name), text)
    return chunks


def _xmp_packet(told: Mapping[str, str]) -> bytes:
    attributes = "".join(f" hearth:{name}={quoteattr(text, NEW_LINES)}" for name, text in told.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:hearth="{XMP_NAMESPACE}"{attributes}/></rdf:RDF></x:xmpmeta>'
    ).encode()


def _storable(text: str) -> str:
    """Without what PNG's text or XML cannot hold: control characters, halves of characters, and two that are none."""
    return "".join(each for each in text if each in NEW_LINES or not _is_unstorable(each))


def _is_unstorable(character: str) -> bool:
    return category(character) in ("Cc", "Cs") or character in "\ufffe\uffff"
