"""What was computed of a content, for the next time it comes: the newest so many."""

from collections import OrderedDict
from hashlib import sha256

from hearth_worker.engines.onnx_values import Array

# Of 32 bytes and a number each.
SCORES_KEPT = 4096


class ScoreCache:
    """By a digest; asking for one makes it new again."""

    def __init__(self, kept: int = SCORES_KEPT) -> None:
        self._kept = kept
        self._scores: OrderedDict[bytes, float] = OrderedDict()

    def get(self, key: bytes) -> float | None:
        """None for one that is not known, or no more."""
        score = self._scores.get(key)
        if score is not None:
            self._scores.move_to_end(key)
        return score

    def put(self, key: bytes, score: float) -> None:
        """The oldest leaves where there are too many."""
        self._scores[key] = score
        self._scores.move_to_end(key)
        while len(self._scores) > self._kept:
            self._scores.popitem(last=False)

    def __len__(self) -> int:
        return len(self._scores)


def digest_of(context: str, pixels: Array) -> bytes:
    """Of the pixels and their shape, and of who looks at them."""
    digest = sha256(f"{context}{pixels.dtype.str}{pixels.shape}".encode())
    digest.update(pixels.data)
    return digest.digest()
