"""Log records of this package become LOG frames."""

import logging

from hearth_worker.connection import Connection, ServerGone
from hearth_worker.failures import sendable
from hearth_worker.protocol.reports import Log, LogLevel

MESSAGE_CHARACTERS_MAX = 16 * 1024


class LogFrames(logging.Handler):
    """Sends each record at once. Whoever logs is not harmed: what cannot be told goes to standard error."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(logging.INFO)
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = sendable(self.format(record)[:MESSAGE_CHARACTERS_MAX])
            self._connection.tell(Log(_level(record.levelno), message, sendable(record.name)))
        except ServerGone:
            # Nobody is left to tell; the reader thread ends the process.
            pass
        except Exception:
            self.handleError(record)


def log_to(connection: Connection) -> None:
    """From now on, for everything logged in this process."""
    root = logging.getLogger()
    root.addHandler(LogFrames(connection))
    root.setLevel(logging.INFO)


def _level(number: int) -> LogLevel:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warning"
    return "info"
