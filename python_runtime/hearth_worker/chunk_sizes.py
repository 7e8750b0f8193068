"""How large the chunks of a transfer are: they follow the sizes of the tensors that were sent."""

CHUNK_BYTES_MIN = 64 * 1024
CHUNK_BYTES_MAX = 16 * 1024 * 1024
# How many tensors are seen before the size is looked at again.
SEEN_PER_LOOK = 100


class ChunkSizes:
    """Small chunks cost a frame each, large ones keep other frames waiting; so most tensors are to fit into one chunk,
    and no chunk is much larger than that.
    """

    def __init__(self, *, is_adaptive: bool = True) -> None:
        """Not adaptive: the smallest size for ever."""
        self.current_bytes = CHUNK_BYTES_MIN
        self._is_adaptive = is_adaptive
        self._seen: list[int] = []

    def see(self, tensor_bytes: int) -> None:
        """A tensor of that size is sent."""
        if not self._is_adaptive:
            return
        self._seen.append(tensor_bytes)
        if len(self._seen) == SEEN_PER_LOOK:
            self._seen.sort()
            # Nine of ten fit into one chunk.
            self.current_bytes = _power_of_two(self._seen[SEEN_PER_LOOK * 9 // 10 - 1])
            self._seen.clear()


def _power_of_two(size_bytes: int) -> int:
    """The next one, within the limits."""
    return min(max(1 << (size_bytes - 1).bit_length(), CHUNK_BYTES_MIN), CHUNK_BYTES_MAX)
