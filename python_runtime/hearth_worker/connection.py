"""The stream to the server: one writer at a time, and every frame acknowledges what has been taken."""

import socket
from contextlib import suppress
from threading import Lock

from hearth_worker.protocol.codec import encode_message
from hearth_worker.protocol.frame import encode_header
from hearth_worker.protocol.reports import Ack, Error, Report

# Metadata and payload are joined with their header below this size: one copy is cheaper than a second system call.
JOINED_BYTES_MAX = 64 * 1024
LAST_WORDS_S_MAX = 0.2


class ServerGone(Exception):  # noqa: N818
    """The stream has ended: nobody is left to work for."""


class Connection:
    """Frames out, bytes in. Any thread may send; only the reader receives."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._writing = Lock()
        # Highest requestId taken from the stream, and the highest that a frame has told the server.
        self.taken = 0
        self._acknowledged = 0
        # The stream is closed from this side, for a breach of the protocol.
        self.gave_up = False

    def tell(self, report: Report, request_id: int = 0) -> None:
        """Sends a report without tensors; `request_id` names the request it answers. Raises ServerGone."""
        self.send(report.type, encode_message(report), b"", request_id)

    def send(self, frame_type: int, meta: bytes, payload: bytes | memoryview = b"", request_id: int = 0) -> None:
        """Sends one frame, waiting while the stream is full. Raises ServerGone."""
        with self._writing:
            taken = self.taken
            header = encode_header(frame_type, request_id, taken, len(meta), len(payload))
            try:
                if len(meta) + len(payload) <= JOINED_BYTES_MAX:
                    self._stream.sendall(b"".join((header, meta, payload)))
                else:
                    self._stream.sendall(header + meta)
                    self._stream.sendall(payload)
            except OSError as error:
                raise ServerGone from error
            self._acknowledged = taken

    def acknowledge(self) -> None:
        """Sends an ACK if something was taken that no frame has told yet."""
        if self._acknowledged != self.taken:
            self.tell(Ack())

    def receive_into(self, buffer: memoryview) -> int:
        """Waits for bytes; 0 at the end of the stream."""
        try:
            return self._stream.recv_into(buffer)
        except OSError:
            return 0

    def give_up(self, error: Error) -> None:
        """Says why, where that is still possible, and closes. A frame that is being written may be cut short."""
        self.gave_up = True
        self._stream.settimeout(LAST_WORDS_S_MAX)
        with suppress(OSError, ServerGone):
            self.tell(error)
        with suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
