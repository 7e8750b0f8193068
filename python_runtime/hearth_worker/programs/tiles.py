"""A large picture as tiles that are computed one by one, each with so much of what lies around it that the result is
that of the whole."""

from msgspec import Struct


class Tile(Struct, frozen=True):
    """In pixels of the picture: what is wanted, and what is computed for it, from inclusive to exclusive."""

    top: int
    bottom: int
    left: int
    right: int
    around_top: int
    around_bottom: int
    around_left: int
    around_right: int


def tiles_of(height: int, width: int, side: int, overlap: int) -> list[Tile]:
    """Of at most `side` x `side` pixels and `overlap` more on each side, where the picture has them; row by row."""
    return [
        Tile(
            top=top,
            bottom=min(top + side, height),
            left=left,
            right=min(left + side, width),
            around_top=max(top - overlap, 0),
            around_bottom=min(top + side + overlap, height),
            around_left=max(left - overlap, 0),
            around_right=min(left + side + overlap, width),
        )
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]
