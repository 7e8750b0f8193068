"""Where large tensors go: into a slab, or in chunks ahead of the frame. No step waits for room."""

from collections.abc import Iterator, Sequence

from hearth_worker.chunk_sizes import ChunkSizes
from hearth_worker.clock import now_ms
from hearth_worker.protocol.codec import encode_message
from hearth_worker.protocol.reports import Chunk, SlabRequest
from hearth_worker.protocol.requests import SlabGrant, SlabReference, SlabReturn
from hearth_worker.protocol.tensors import TRANSFERS_BYTES_MAX, TRANSFERS_MAX, SlabSpan, Transfer
from hearth_worker.slabs import Slabs

# Slabs come in sizes this far apart.
SIZES_ASKED_TOGETHER = 4


class LargeTensors:
    """Places the tensors of one STEPS frame after the other. The step loop uses it; the reader hands in what the server
    grants and gives back.
    """

    def __init__(self, sizes: ChunkSizes | None = None) -> None:
        """Until slabs are granted everything goes in chunks."""
        self._slabs = Slabs()
        self._sizes = sizes or ChunkSizes()
        self._last_transfer = 0
        # Of the frame that is being made.
        self._transfers: list[tuple[Transfer, memoryview]] = []
        self._transfers_bytes = 0
        self._is_asking = False
        self._refused: tuple[int, float] | None = None

    def place(self, data: memoryview) -> SlabSpan | Transfer:
        """Says where the bytes of a tensor of this frame will be. Raises ValueError if the frame can carry no more."""
        placed = self._slabs.place(data)
        if placed:
            return placed
        self._transfers_bytes += data.nbytes
        if len(self._transfers) == TRANSFERS_MAX or self._transfers_bytes > TRANSFERS_BYTES_MAX:
            limit = f"{TRANSFERS_MAX}, or take more than {TRANSFERS_BYTES_MAX} bytes together"
            raise ValueError(f"its large tensors are more than {limit}")
        self._last_transfer += 1
        transfer = Transfer(self._last_transfer, data.nbytes)
        self._transfers.append((transfer, data))
        return transfer

    def undo(self) -> None:
        """The frame that was being made is not sent."""
        # A number that the server has not seen may be used again: it only has to see them rise.
        self._last_transfer -= len(self._transfers)
        self._transfers.clear()
        self._transfers_bytes = 0
        self._slabs.undo()

    def before_frame(self) -> Iterator[tuple[int, bytes, memoryview]]:
        """Type, metadata and payload of what has to be sent ahead of the frame, which is complete now."""
        self._slabs.send()
        transfers, self._transfers = self._transfers, []
        self._transfers_bytes = 0
        # First, so that the slabs come while the chunks are on their way.
        if transfers and (request := self._request(transfers)):
            yield SlabRequest.type, encode_message(request), memoryview(b"")
        for transfer, data in transfers:
            self._sizes.see(transfer.length)
            yield from _chunks(transfer, data, self._sizes.current_bytes)

    def take(self, request: SlabGrant | SlabReturn) -> list[SlabReference]:
        """Adds or frees slabs; returns those that cannot be mapped here. For the reader."""
        if isinstance(request, SlabReturn):
            self._slabs.give_back(request.slabs)
            return []
        unmapped = self._slabs.add(request.slabs)
        # One that comes ahead of need says nothing of what was refused before.
        if refused := request.refused:
            self._refused = refused.size_bytes, now_ms() + refused.pause_ms
        self._is_asking = False
        return unmapped

    def drop(self, recalled: Sequence[SlabReference]) -> list[SlabReference]:
        """Lets go of slabs that others need, and says of which."""
        return self._slabs.drop(recalled)

    def _request(self, transfers: list[tuple[Transfer, memoryview]]) -> SlabRequest | None:
        """Asks for what would have held these tensors, but for sizes that were refused lately."""
        if self._is_asking:
            return None
        sizes = [transfer.length for transfer, _ in transfers]
        refused = self._refused
        if refused and now_ms() < refused[1]:
            sizes = [size for size in sizes if size < refused[0]]
        if not sizes:
            return None
        self._is_asking = True
        largest = max(sizes)
        # Much smaller ones need no slab as large; they ask the next time.
        return SlabRequest(largest, sum(size > largest // SIZES_ASKED_TOGETHER for size in sizes))


def _chunks(transfer: Transfer, data: memoryview, chunk_bytes: int) -> Iterator[tuple[int, bytes, memoryview]]:
    for offset in range(0, transfer.length, chunk_bytes):
        meta = encode_message(Chunk(transfer.id, offset, transfer.length))
        yield Chunk.type, meta, data[offset : offset + chunk_bytes]
