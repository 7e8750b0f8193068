"""What is wrong with a stream that does not follow PROTOCOL.md section 2."""

from typing import Literal

Reason = Literal["magic", "flags", "reserved", "limit", "type", "metadata", "span", "truncated"]


class ProtocolError(Exception):
    """The peer broke the protocol; the stream cannot go on. `reason` is as in the shared frame vectors."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason
