"""Cuts a stream of bytes into frames, whatever pieces it comes in, and never holds more than one frame may have."""

from hearth_worker.protocol.frame import HEADER_BYTES, Frame, FrameHeader, read_header
from hearth_worker.protocol.protocol_error import ProtocolError


class FrameDecoder:
    """Feed it what was read; it gives back the frames that are complete."""

    def __init__(self) -> None:
        self._pending = bytearray()
        # The header of the frame at the start of `_pending`, once it has come and was found acceptable.
        self._header: FrameHeader | None = None

    def feed(self, data: bytes | memoryview) -> tuple[list[Frame], ProtocolError | None]:
        """The frames that `data` completes, and the error that follows them, after which nothing may be fed.

        The error is returned, not raised, because the frames before it count.
        """
        pending = self._pending
        pending += data
        frames: list[Frame] = []
        start = 0
        try:
            while len(pending) - start >= HEADER_BYTES:
                header = self._header or read_header(pending, start)
                meta_start = start + HEADER_BYTES
                payload_start = meta_start + header.meta_bytes
                end = payload_start + header.payload_bytes
                if len(pending) < end:
                    self._header = header
                    break
                self._header = None
                meta = bytes(pending[meta_start:payload_start])
                payload = bytes(pending[payload_start:end])
                frames.append(Frame(header.type, header.request_id, header.acknowledged, meta, payload))
                start = end
        except ProtocolError as error:
            return frames, error
        del pending[:start]
        return frames, None

    def end(self) -> ProtocolError | None:
        """To be asked when the stream has ended: an error if it ended inside a frame."""
        if not self._pending:
            return None
        return ProtocolError("truncated", f"the stream ended inside a frame, after {len(self._pending)} bytes of it")
